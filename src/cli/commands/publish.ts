import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { formatEnvironment, formatNomadVariables, type PublishedArtifacts } from '../../bundle/addresses.ts';
import { checkLocalBundles, type LocalBundle, readLocalBundle } from '../../bundle/local-bundle.ts';
import { resolveJob } from '../../bundle/nomad/resolve-job.ts';
import { addressedArtifacts, requireDistinctNames } from '../../bundle/published.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { type CopyCommandOptions, copyAll, requireServer, targetOf } from '../publish-copy.ts';
import { publishInSessions, type SessionCommandOptions } from '../publish-session.ts';
import { addSecretsFirst, requireSecrets, type SecretsFirst } from '../secrets.ts';
import { duration, fileMode, positiveInteger } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';

interface PublishOptions extends CopyCommandOptions, SessionCommandOptions, SecretsFirst {
  readonly via: 'session' | 'copy';
  readonly baseUrl?: string;
  readonly nomadVars?: boolean;
  readonly env?: boolean;
  readonly resolve?: string;
}

export const publish: Definition = (command, context) => {
  addSecretsFirst(command)
    .argument('<bundle...>', 'manifests of bundles, or directories that have a bundle.json')
    .addOption(new Option('--via <way>', 'how the artifacts get there').choices(['session', 'copy']).default('session'))
    .option('--producer <producer>', 'whose release it is', 'cli')
    .option('--retention-class <slug>', 'how long the release is kept', 'release-evidence')
    .addOption(new Option('--ttl <duration>', 'how long what was sent waits for the rest').argParser(duration).default(3_600_000, '1h'))
    .option('--idempotency-key <key>', 'with the same key a publication is the same one; made of the bundle where absent')
    .option('--jobs <n>', 'uploads at once', positiveInteger, 8)
    .option('--to <place>', 'with --via copy: a directory, or ssh://user@host/dir')
    .option('--create', 'with --via copy: install into a place that no bundle was copied to before')
    .addOption(new Option('--mode <mode>', 'with --via copy: the mode of the files').argParser(fileMode).default(0o644, '0644'))
    .option('--owner <owner>', 'with --via copy: the owner of the files, as chown takes it')
    .option('--base-url <url>', 'where the artifacts will be read, if not at the registry, or at http://127.0.0.1:7380 after a copy')
    .addOption(new Option('--nomad-vars', 'print the addresses as variables of Nomad').conflicts(['env', 'resolve']))
    .addOption(new Option('--env', 'print the addresses as lines of an environment file').conflicts(['resolve']))
    .option('--resolve <job>', 'print this job of Nomad, with artifactstore://<name> replaced by address and checksum')
    .addHelpText(
      'after',
      `
Reads every artifact and compares it with its manifest before anything is sent:
when one differs, nothing is. What is there already is not sent again, so the
same command resumes what was stopped.

Without --via the registry takes them: each bundle becomes one sealed package
that appears as a whole, and each artifact is at /objects/sha256:<hex>/<name>
for as long as the package lives.

--via copy installs into a directory that \`bootstrap-serve\` serves, on this
machine or, by the system's ssh, on another: each file is hashed as it arrives,
and the manifest comes last. A place that has no bundle yet is refused, since it
may be one that is not mounted: --create says that it is new.

--json prints {name: {url, sha256, size_bytes}}.

Examples:
  $ artifactstore publish ./dist --producer gamma
  $ artifactstore publish ./dist --producer gamma --resolve job.nomad.hcl | nomad job run -
  $ artifactstore publish ./dist --via copy --to /var/lib/artifactstore-bundles --create
  $ artifactstore publish ./dist --via copy --to ssh://root@gamma/var/lib/artifactstore-bundles
  $ artifactstore publish ./dist --via copy --to ./bundles --resolve job.nomad.hcl > job.hcl`,
    )
    .action(async (places: readonly string[], options: PublishOptions) => {
      refuseStray(command, options);
      if (places.length > 1 && options.idempotencyKey !== undefined)
        command.error("error: option '--idempotency-key' is for one bundle: without it each has its own");
      await requireSecrets(context(), options);
      await publishAll(context(), places, options);
    });
};

async function publishAll(context: Context, places: readonly string[], options: PublishOptions): Promise<void> {
  const { directory, output } = context;
  // What is wrong with the options is known before files are read, which may take long.
  if (options.baseUrl !== undefined) requireServer(options.baseUrl);
  if (options.via === 'copy') targetOf(context, options);
  using stop = stopOnSignal();
  const { signal } = stop;
  const bundles: LocalBundle[] = [];
  for (const place of places) bundles.push(await readLocalBundle(resolve(directory, place)));
  requireDistinctNames(bundles);
  const job = options.resolve === undefined ? undefined : await readJob(resolve(directory, options.resolve));
  // What is wrong with the job, or with the names, is known before anything is sent.
  printable(addressedArtifacts(bundles, 'http://localhost'), options, job);
  const all = bundles.flatMap(({ bundle }) => bundle.artifacts).reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const progress = await createProgress(output, 'checking', all);
  try {
    await checkLocalBundles(bundles, { signal, onChecked: ({ size_bytes }) => progress.advance(size_bytes) });
  } finally {
    progress.stop();
  }
  const publishAs = options.via === 'copy' ? copyAll : publishInSessions;
  const published = await publishAs(context, bundles, options, signal);
  const text = printable(published, options, job);
  if (text !== undefined) return output.json ? output.value({ text }) : output.text(text);
  if (output.json) return output.value(published);
  await output.table(
    ['NAME', 'ADDRESS'],
    Object.entries(published).map(([name, { url }]) => [name, url]),
  );
}

/** An option that does nothing was meant for something. */
function refuseStray(command: Command, { via, to }: PublishOptions): void {
  if (via === 'copy' && to === undefined) command.error("error: option '--via copy' needs '--to <place>'");
  const ofOther = via === 'copy' ? ofSession : ofCopy;
  const stray = ofOther.find((name) => command.getOptionValueSource(name) === 'cli');
  if (stray === undefined) return;
  const flag = stray.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  command.error(`error: option '--${flag}' goes with '--via ${via === 'copy' ? 'session' : 'copy'}' only`);
}

const ofCopy = ['to', 'create', 'mode', 'owner'] as const;
const ofSession = ['producer', 'retentionClass', 'ttl', 'idempotencyKey', 'jobs'] as const;

/** What is printed in place of the table, if anything is. */
function printable(artifacts: PublishedArtifacts, { nomadVars, env }: PublishOptions, job: string | undefined): string | undefined {
  if (job !== undefined) return resolveJob(job, artifacts);
  if (nomadVars === true) return formatNomadVariables(artifacts);
  return env === true ? formatEnvironment(artifacts) : undefined;
}

async function readJob(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw localFileError(error, path, 'read', { field: '--resolve' });
  }
}
