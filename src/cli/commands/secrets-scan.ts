import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { type KnownValue, type ScanReport, scanForSecrets } from '../../secrets/scan/scan.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { readEnvFileAt } from '../env-file.ts';
import { exitCode } from '../exit.ts';
import { collectRefusals } from '../refusals.ts';
import { counted, formatBytes } from '../terminal/size.ts';

export interface ScanOptions {
  readonly known: readonly string[];
  readonly public?: readonly string[];
  /** As those of `public`, of which nothing is noted where no file has them. */
  readonly alsoPublic?: readonly string[];
}

export const secretsScan: Definition = (command, context) => {
  command
    .argument('<dir>', 'evidence, logs or reports that are to be given away')
    .requiredOption('--known <file...>', 'files of NAME=value lines: none of these values may be there')
    .option('--public <name...>', 'names of values that are no secrets')
    .addHelpText(
      'after',
      `
Looks through every file for the values of these files, as they are and as they
slip through: percent-encoded, within base64, as hex digits, in JSON; of an
address with a password for the password too. And for texts that have the form
of a secret, whoever's it is. Files in gzip are unpacked. Shows names and
places, and no value. Follows no link.

Ends with exit code 1 when something was found, or when something could not be
looked at: nothing is said of that.

Examples:
  $ artifactstore secrets scan evidence/ --known /run/secrets/cosmo.env
  $ artifactstore secrets scan evidence/ --known *.env --public S3_ENDPOINT_URL`,
    )
    .action(async (directory: string, options: ScanOptions) => {
      const given = context();
      const report = await scanDirectory(given, directory, options);
      await show(given, report);
      if (!report.ok) given.exitWith(exitCode.failed);
    });
};

/** Looks through a directory for the values of these files. Errors: as those of a file that cannot be read. */
export async function scanDirectory(
  context: Context,
  directory: string,
  { known, public: named = [], alsoPublic = [] }: ScanOptions,
): Promise<ScanReport> {
  const root = resolve(context.directory, directory);
  const refusals = collectRefusals();
  await refusals.attempt(() => requireThere(root));
  const open = new Set([...named, ...alsoPublic]);
  const unknown = new Set(named);
  const values: KnownValue[] = [];
  for (const file of known) {
    const found = await refusals.attempt(() => readKnown(resolve(context.directory, file)));
    for (const [name, value] of found ?? []) {
      unknown.delete(name);
      if (!open.has(name) && value !== '') values.push({ name, value }, ...passwordOf(name, value));
    }
  }
  refusals.throwAny();
  if (unknown.size > 0) context.output.note(`note: no --known file has ${[...unknown].join(', ')}, which --public names`);
  using stop = stopOnSignal();
  return await scanForSecrets(root, values, stop.signal);
}

/** Of a file without a value nothing would be looked for, and all would be told as clean. */
async function readKnown(path: string): Promise<ReadonlyMap<string, string>> {
  const values = await readEnvFileAt(path, '--known');
  if ([...values.values()].some((value) => value !== '')) return values;
  throw new ArtifactstoreError('invalid_configuration', `"${path}" has no value that could be looked for.`, {
    field: '--known',
    info: { hint: 'was it rendered? leave it out where it is to be empty' },
  });
}

async function requireThere(path: string): Promise<void> {
  await stat(path).catch((error: unknown) => {
    throw localFileError(error, path, 'read', { field: 'dir' });
  });
}

/** That of an address (RFC 3986, 3.2.1), as it stands there and decoded. */
function passwordOf(name: string, value: string): readonly KnownValue[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#:]*:(.*)@/i.exec(value)?.[1];
  if (password === undefined) return [];
  const label = `${name} (its password)`;
  return [{ name: label, value: password }, ...decoded(password).map((text) => ({ name: label, value: text }))];
}

function decoded(text: string): readonly string[] {
  try {
    return [decodeURIComponent(text)].filter((each) => each !== text);
  } catch {
    return [];
  }
}

async function show({ output }: Context, report: ScanReport): Promise<void> {
  if (output.json) return output.value(report);
  const { leaks, more_leaks, not_looked_at, too_short, files, bytes, ok, searched } = report;
  const { red, green, bold } = output.colors;
  for (const { path, offset, secret, form } of leaks)
    output.line(`${red('found')} ${bold(secret)} in ${path} at byte ${offset}${form === 'plain' || form === 'shape' ? '' : ` (${form})`}`);
  if (more_leaks) output.line('there is more: it is not listed');
  for (const { path, reason } of not_looked_at) output.line(`${red('not looked at')} ${path}: ${reason}`);
  if (files === 0) output.line(`${red('nothing looked at')}: there is no file; is the place mounted?`);
  if (searched === 0) output.line(`${red('nothing looked for')}: the --known files have no value that is long enough and not public`);
  if (ok) output.line(`${green('clean')} ${counted(files, 'file')}, ${formatBytes(bytes)}`);
  if (too_short.length > 0) output.note(`too short to be looked for: ${too_short.join(', ')}`);
}
