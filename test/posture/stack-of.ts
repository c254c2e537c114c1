import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { checkPosture } from '../../src/posture/check-posture.ts';
import { readStack } from '../../src/posture/stack.ts';

const place = { volume: 'vault-secrets', target: '/secrets', agent: 'vault-agent' };

/** `rule state service file:line problem` of each finding in files by name; the first ones are given to Compose. */
export async function findingsIn(files: Readonly<Record<string, string>>, ...given: readonly string[]): Promise<readonly string[]> {
  const read = async (path: string): Promise<string> => {
    const text = files[path.slice(1)];
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  };
  const names = given.length > 0 ? given : [Object.keys(files)[0] ?? ''];
  const stack = await readStack(
    names.map((name) => `/${name}`),
    read,
  );
  return checkPosture(stack, place).map(
    ({ rule, state, service, file, line, problem }) => `${rule} ${state} ${service ?? '-'} ${file.slice(1)}:${line} ${problem}`,
  );
}

/** The message with which these files are refused. */
export async function refusalOf(files: Readonly<Record<string, string>>, ...given: readonly string[]): Promise<string> {
  try {
    await findingsIn(files, ...given);
  } catch (error) {
    if (isArtifactstoreError(error, 'invalid_configuration')) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

/** A right stack with one service `s` that has these lines. */
export function rightStack(...lines: readonly string[]): string {
  return [
    'services:',
    '  vault-agent:',
    '    image: openbao/openbao:2.7.2',
    '    networks: [inside]',
    '    volumes: ["vault-secrets:/secrets"]',
    '  s:',
    '    image: nats:2.10.6',
    '    networks: [inside]',
    ...lines.map((line) => `    ${line}`),
    'networks:',
    '  inside:',
    '    internal: true',
    'volumes:',
    '  vault-secrets:',
    '',
  ].join('\n');
}
