import { randomBytes } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { checkPosture } from '../../posture/check-posture.ts';
import { checkExposure, type Exposure } from '../../posture/exposure.ts';
import { type PostureFinding, postureRules } from '../../posture/finding.ts';
import { readStack } from '../../posture/stack.ts';
import { parseHttpUrl } from '../../protocol/http-url.ts';
import { plainText } from '../../protocol/plain-text.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { readAtMost } from '../../runtime/read-at-most.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';
import { collectRefusals } from '../refusals.ts';
import { counted } from '../terminal/size.ts';

interface PostureOptions {
  readonly compose?: readonly string[];
  readonly proxy?: string;
  readonly forbiddenHost?: readonly string[];
  readonly secretsVolume: string;
  readonly agent: string;
}

interface PostureReport {
  readonly ok: boolean;
  readonly files: readonly string[];
  readonly services: readonly string[];
  readonly rules: readonly string[];
  readonly findings: readonly PostureFinding[];
  readonly exposure: readonly Exposure[];
}

const longestComposeFile = 1_048_576;
const longestAnswer = 1_048_576;
const forbiddenHosts = ['cosmo.local', 'minio.local', 'seaweedfs.local', 'studio.local', 'controlplane.local', 'cdn.local'];

export const storePosture: Definition = (command, context) => {
  command
    .option('--compose <file...>', 'Compose files, merged as `docker compose -f` merges them')
    .option('--proxy <url>', 'the proxy in front of this machine: it must lead to none of the forbidden hosts')
    .option('--forbidden-host <host...>', `hosts that it must not know (${forbiddenHosts[0]}, ${forbiddenHosts[1]} and others)`)
    .option('--secrets-volume <name>', 'the volume of rendered secrets', 'vault-secrets')
    .option('--agent <service>', 'the service that renders them', 'vault-agent')
    .addHelpText(
      'after',
      `
Says whether a stack can be reached from inside only. Of Compose files, with
anchors, \`extends\`, \`include\` and all profiles: images are pinned, nothing is
published or labelled for a proxy, there is one internal network, rendered
secrets are read-only for all but the agent, no secret is in an environment or
printed, and no container is one with its host. Each finding has a rule, a file
and a line, and what to do. What depends on a variable is not taken for right.

With --proxy: asks it for each forbidden host, and compares the answers with the
one for a host that nobody knows.

Ends with exit code 1 when something is wrong or can't be known of the files, or
a host is routed; with 6 when only the proxy left it unknown.

Examples:
  $ artifactstore store posture --compose deploy/cosmo/compose.yaml
  $ artifactstore store posture --compose a.yaml b.yaml --proxy http://127.0.0.1`,
    )
    .action(async (options: PostureOptions) => {
      const given = context();
      const { report, code } = await lookAtStack(given, options);
      await show(given, report);
      if (code !== exitCode.done) given.exitWith(code);
    });
};

/** Looks at what the options name. Errors: `invalid_value`, `invalid_configuration`. */
export async function lookAtStack(
  given: Context,
  { secretsVolume = 'vault-secrets', agent = 'vault-agent', ...options }: Partial<PostureOptions>,
): Promise<{ readonly report: PostureReport; readonly code: number }> {
  const { compose = [], proxy } = options;
  requireProxy(options);
  if (compose.length === 0 && proxy === undefined)
    throw new ArtifactstoreError('invalid_value', 'There is nothing to look at: give --compose, --proxy or both.', {
      field: '--compose',
    });
  const hosts = options.forbiddenHost ?? forbiddenHosts;
  const refusals = collectRefusals();
  const files = compose.length === 0 ? undefined : await refusals.attempt(() => lookAtFiles(given, compose, { secretsVolume, agent }));
  const address = proxy === undefined ? undefined : await refusals.attempt(() => addressOf(proxy, hosts));
  refusals.throwAny();
  const exposure = address === undefined ? [] : await lookAtProxy(address, hosts);
  const { findings = [], services = [], paths = [] } = files ?? {};
  const ok = findings.length === 0 && exposure.every(({ answer }) => answer === 'not_routed');
  const report = { ok, files: paths, services, rules: files === undefined ? [] : postureRules, findings, exposure };
  const isWrong = findings.length > 0 || exposure.some(({ answer }) => answer === 'routed');
  return { report, code: ok ? exitCode.done : isWrong ? exitCode.failed : exitCode.unreachable };
}

interface SeenFiles {
  readonly paths: readonly string[];
  readonly services: readonly string[];
  readonly findings: readonly PostureFinding[];
}

async function lookAtFiles(
  { directory }: Context,
  compose: readonly string[],
  { secretsVolume, agent }: PostureOptions,
): Promise<SeenFiles> {
  const shown = (path: string): string => {
    const below = relative(directory, path);
    return below.startsWith('..') ? path : below;
  };
  const stack = await readStack(
    compose.map((path) => resolve(directory, path)),
    readComposeText,
  );
  const findings = checkPosture(stack, { volume: secretsVolume, target: '/secrets', agent });
  return {
    paths: stack.files.map(shown),
    services: [...stack.services.keys()],
    findings: findings.map((finding) => ({ ...finding, file: shown(finding.file) })),
  };
}

async function readComposeText(path: string): Promise<string> {
  const bytes = await readAtMost(path, longestComposeFile).catch((error: unknown) => {
    throw localFileError(error, path, 'read', { field: '--compose' });
  });
  const plain = bytes.length > longestComposeFile ? { problem: `it has more than ${longestComposeFile} bytes` } : plainText(bytes);
  if ('text' in plain) return plain.text;
  throw new ArtifactstoreError('invalid_configuration', `"${path}" is no Compose file: ${plain.problem}.`, { field: '--compose' });
}

/** Hosts that nobody is asked for would be told as right. */
export function requireProxy({ proxy, forbiddenHost }: Pick<PostureOptions, 'proxy' | 'forbiddenHost'>): void {
  if (proxy === undefined && forbiddenHost !== undefined)
    throw new ArtifactstoreError('invalid_value', '--forbidden-host goes with --proxy, which is asked for these hosts.', {
      field: '--forbidden-host',
    });
}

function addressOf(proxy: string, hosts: readonly string[]): string {
  for (const host of hosts)
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host))
      throw new ArtifactstoreError('invalid_value', `"${host}" is not the name of a host.`, { field: '--forbidden-host' });
  try {
    return parseHttpUrl(proxy);
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `--proxy: ${(error as Error).message}.`, { field: '--proxy', cause: error });
  }
}

async function lookAtProxy(address: string, hosts: readonly string[]): Promise<readonly Exposure[]> {
  using stop = stopOnSignal();
  // Nothing that is secret is sent, and a proxy shows a certificate of its own to hosts that it does not know.
  const client = createHttpClient({ address, longestBytes: longestAnswer, anyCertificate: true, signal: stop.signal });
  try {
    const unknownHost = () => `nobody-${randomBytes(6).toString('hex')}.invalid`;
    const unknownHosts = [unknownHost(), unknownHost()] as const;
    return await checkExposure({ hosts, unknownHosts, ask: (host, path) => client.ask({ method: 'GET', path, headers: { host } }) });
  } finally {
    await client.close();
  }
}

async function show({ output }: Context, report: PostureReport): Promise<void> {
  if (output.json) return output.value(report);
  const { red, green, bold } = output.colors;
  for (const { rule, state, service, file, line, problem, remedy } of report.findings) {
    const subject = service === null ? '' : `${bold(service)} `;
    output.line(`${red(state === 'violated' ? rule : `${rule}?`)} ${file}:${line} ${subject}${problem}`);
    output.line(`  ${remedy}`);
  }
  for (const { host, answer, reason } of report.exposure)
    output.line(`${(answer === 'not_routed' ? green : red)(answer.replaceAll('_', ' '))} ${bold(host)} ${reason}`);
  if (report.findings.length === 0 && report.services.length > 0)
    output.line(`${green('right')} ${counted(report.services.length, 'service')}, ${counted(report.rules.length, 'rule')}`);
}
