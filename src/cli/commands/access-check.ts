import { resolve } from 'node:path';
import { Option } from 'commander';
import type { AccessFile } from '../../identity/access-file/access-file.ts';
import { type ExplainedGrant, type Explanation, explainClaims, explainToken } from '../../identity/explain.ts';
import { hasTokenForm, readToken } from '../../identity/oidc/read-token.ts';
import { createOidc } from '../../identity/oidc/verifier.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { readSecretFile } from '../../runtime/secret-file.ts';
import { readAccessFileAt, readBounded } from '../access-file.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { counted } from '../terminal/size.ts';

interface CheckOptions {
  readonly file?: string;
  readonly tokenFile?: string;
  readonly claims?: string;
  readonly verify?: boolean;
}

export const accessCheck: Definition = (command, context) => {
  command
    .option('--file <file>', 'the access file (ARTIFACTSTORE_ACCESS_CONFIG_PATH)')
    .option('--token-file <file>', 'say what it makes of the token in this file')
    .addOption(new Option('--claims <file>', 'say what it makes of these claims, a JSON object').conflicts('tokenFile'))
    .option('--verify', "with --token-file: ask the token's issuer for its keys, and check the signature too")
    .addHelpText(
      'after',
      `
Needs no server. Checks the access file, and says everything that is wrong with
it. Of a token or of claims it says which grants hold, what each wanted and got,
and what they allow. The token is never shown and, without --verify, never sent
anywhere; neither is its signature looked at then.

Without an access file, --token-file prints the claims of the token: send them
to whoever has the file, for --claims.

Ends with exit code 2 when the file is wrong, and with 1 when the token or the
claims may do nothing.

Examples:
  $ artifactstore access check --file access.toml
  $ artifactstore access check --file access.toml --claims job.json
  $ artifactstore access check --token-file token --verify`,
    )
    .action(async (options: CheckOptions) => {
      if (options.verify === true && options.tokenFile === undefined)
        command.error("error: option '--verify' goes with '--token-file' only");
      await check(context(), options);
    });
};

async function check(context: Context, options: CheckOptions): Promise<void> {
  const { directory, output } = context;
  const token = options.tokenFile === undefined ? undefined : await readTokenFile(resolve(directory, options.tokenFile));
  const path = options.file === undefined ? context.config.accessConfigPath : resolve(directory, options.file);
  if (path === undefined) return showClaims(context, token);

  const file = await readAccessFileAt(path, '--file');
  if (!output.json) {
    output.line(`${output.colors.green('right')} ${path}: ${counts(file)}`);
    for (const { line, column, message } of file.warnings) output.warn(`warning: line ${line}, column ${column}: ${message}`);
  }
  const claims = options.claims === undefined ? undefined : await readClaims(resolve(directory, options.claims));
  const explained =
    token !== undefined ? explainToken(file, token, Date.now()) : claims !== undefined ? explainClaims(file, claims) : undefined;
  const verifies = options.verify === true && token !== undefined && explained?.refused === null && hasTokenForm(token);
  if (verifies) await verify(file, token);
  if (output.json) {
    const { issuers, grants, quotas, warnings } = file;
    const said = { ok: true, path, issuers: issuers.length, grants: grants.length, quotas: quotas.size, warnings };
    output.value(explained === undefined ? said : { ...said, principal: explained });
  } else if (explained !== undefined) await show(context, explained, verifies);
  if (explained !== undefined) conclude(explained);
}

function counts({ issuers, grants, quotas }: AccessFile): string {
  return [counted(issuers.length, 'issuer'), counted(grants.length, 'grant'), counted(quotas.size, 'quota')].join(', ');
}

async function readClaims(path: string): Promise<JsonObject> {
  const value = await readJson(path);
  if (isJsonObject(value)) return value;
  throw new ArtifactstoreError('malformed_json', `"${path}" is not a JSON object of claims.`, { field: '--claims' });
}

async function readJson(path: string): Promise<JsonValue> {
  const bytes = await readBounded(path, '--claims');
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    throw new ArtifactstoreError(error.code, `"${path}" is not a JSON object of claims. ${error.message}`, {
      field: '--claims',
      info: { hint: 'a token itself goes with --token-file' },
      cause: error,
    });
  }
}

async function readTokenFile(path: string): Promise<string> {
  const read = await readSecretFile(path);
  if ('problem' in read && read.fault !== 'empty') {
    if (read.cause !== undefined) throw localFileError(read.cause, path, 'read', { field: '--token-file' });
    throw new ArtifactstoreError('local_file_failed', `The token file ${path} ${read.problem}.`, { field: '--token-file' });
  }
  if ('text' in read) return read.text.trim();
  throw new ArtifactstoreError('invalid_value', `The token file ${path} is empty.`, {
    field: '--token-file',
    info: { hint: 'look at what writes it: is a variable not set?' },
  });
}

/** What whoever has the access file needs to know of a token, and nothing that can be used in its place. */
function showClaims({ output }: Context, token: string | undefined): void {
  if (token === undefined || !hasTokenForm(token))
    throw new ArtifactstoreError('invalid_configuration', 'There is no access file to check.', {
      field: '--file',
      info: { hint: 'name it with --file, or set ARTIFACTSTORE_ACCESS_CONFIG_PATH' },
    });
  const { claims } = readToken(token);
  if (output.json) output.value({ claims });
  else output.line(JSON.stringify(claims, null, 2));
  output.note('there is no access file here: whoever has it can use these claims with `artifactstore access check --claims`');
}

/** Throws `unauthorized` or `identity_unavailable`. A token that counts once is not used up by it. */
async function verify({ issuers }: AccessFile, token: string): Promise<void> {
  const oidc = createOidc({ now: Date.now });
  try {
    oidc.use(issuers.map((issuer) => ({ ...issuer, singleUse: false })));
    await oidc.verify(token);
  } finally {
    await oidc.close();
  }
}

const mostMisses = 10;

async function show({ output }: Context, explained: Explanation, isVerified: boolean): Promise<void> {
  const { bold, green, red } = output.colors;
  const { actor, by, grants, may, refused } = explained;
  output.line(`${bold(actor ?? 'nobody')}, ${by}${isVerified ? ', signature verified' : ''}`);
  if (refused !== null) output.line(`${red('refused')} ${refused}`);
  const holding = grants.filter((grant) => grant.holds);
  const missing = grants.filter((grant) => !grant.holds);
  const listed = [...holding, ...missing.slice(0, mostMisses)];
  if (listed.length > 0) {
    output.line('');
    await output.table(
      ['GRANT', 'HOLDS', 'CLAIM', 'WANTED', 'GOT'],
      listed.flatMap((grant) => rowsOf(grant, (text, isGood) => (isGood ? green(text) : red(text)))),
    );
  }
  if (missing.length > mostMisses) output.note(`${missing.length - mostMisses} more grants of this issuer do not hold; --json has them`);
  output.line('');
  if (may.length === 0 || refused !== null) return output.line('may do nothing');
  await output.table(
    ['RIGHT', 'PRODUCERS'],
    may.map(({ right, producers }) => [right, right === 'observe' || right === 'administer' ? '' : producers.join(', ')]),
  );
}

function rowsOf(grant: ExplainedGrant, paint: (text: string, isGood: boolean) => string): readonly (readonly string[])[] {
  const name = `line ${grant.line}, ${grant.role}`;
  if (grant.claims.length === 0) return [[name, paint('yes', true), '', '', '']];
  return grant.claims.map(({ claim, wanted, got, holds }, index) => [
    index === 0 ? name : '',
    paint(holds ? 'yes' : 'no', holds),
    claim,
    wanted,
    got,
  ]);
}

function conclude({ by, grants, refused }: Explanation): void {
  if (refused !== null)
    throw new ArtifactstoreError('unauthorized', `A server would refuse the token: ${refused}.`, {
      info: { hint: 'correct what asks for the token, or what the file says of its issuer and its actor' },
    });
  if (grants.some((grant) => grant.holds)) return;
  const near = grants[0]?.claims.filter((claim) => !claim.holds).map(({ claim }) => claim);
  throw new ArtifactstoreError('forbidden', `No grant of the ${by.replace(/^issuer (.*)$/, 'issuer "$1"')} holds.`, {
    info:
      near === undefined
        ? { hint: 'there is none: add one' }
        : { hint: `the nearest is at line ${grants[0]?.line}; it misses ${near.join(', ')}` },
  });
}
