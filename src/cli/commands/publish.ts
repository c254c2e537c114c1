import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { formatEnvironment, formatNomadVariables, type PublishedArtifacts } from '../../bundle/addresses.ts';
import { checkLocalBundles, type LocalBundle, readLocalBundle } from '../../bundle/local-bundle.ts';
import { resolveJob } from '../../bundle/nomad/resolve-job.ts';
import { addressedArtifacts, requireDistinctNames } from '../../bundle/published.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { type CopyCommandOptions, copyAll } from '../publish-copy.ts';
import { fileMode } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';

interface PublishOptions extends CopyCommandOptions {
  readonly via: 'copy';
  readonly nomadVars?: boolean;
  readonly env?: boolean;
  readonly resolve?: string;
}

export const publish: Definition = (command, context) => {
  command
    .argument('<bundle...>', 'manifests of bundles, or directories that have a bundle.json')
    .addOption(new Option('--via <way>', 'how the artifacts get there').choices(['copy']).makeOptionMandatory())
    .option('--to <place>', 'with --via copy: a directory, or ssh://user@host/dir')
    .option('--mode <mode>', 'with --via copy: the mode of the files', fileMode, 0o644)
    .option('--owner <owner>', 'with --via copy: the owner of the files, as chown takes it')
    .option('--base-url <url>', 'with --via copy: where `bootstrap-serve` will listen', 'http://127.0.0.1:7380')
    .addOption(new Option('--nomad-vars', 'print the addresses as variables of Nomad').conflicts(['env', 'resolve']))
    .addOption(new Option('--env', 'print the addresses as lines of an environment file').conflicts(['resolve']))
    .option('--resolve <job>', 'print this job of Nomad, with artifactstore://<name> replaced by address and checksum')
    .addHelpText(
      'after',
      `
Reads every artifact and compares it with its manifest before anything is sent:
when one differs, nothing is. What is there already is not sent again, so the
same command resumes what was stopped.

--via copy installs into a directory that \`bootstrap-serve\` serves, on this
machine or, by the system's ssh, on another: each file is hashed as it arrives,
and the manifest comes last.

--json prints {name: {url, sha256, size_bytes}}.

Examples:
  $ artifactstore publish ./dist --via copy --to /var/lib/artifactstore-bundles
  $ artifactstore publish ./dist --via copy --to ssh://root@gamma/var/lib/artifactstore-bundles
  $ artifactstore publish ./dist --via copy --to ./bundles --resolve job.nomad.hcl > job.hcl`,
    )
    .action(async (places: readonly string[], options: PublishOptions) => {
      if (options.to === undefined) command.error("error: option '--via copy' needs '--to <place>'");
      await publishAll(context(), places, options);
    });
};

async function publishAll(context: Context, places: readonly string[], options: PublishOptions): Promise<void> {
  const { directory, output } = context;
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
  const published = await copyAll(context, bundles, options, signal);
  const text = printable(published, options, job);
  if (text !== undefined) return output.json ? output.value({ text }) : output.text(text);
  if (output.json) return output.value(published);
  await output.table(
    ['NAME', 'ADDRESS'],
    Object.entries(published).map(([name, { url }]) => [name, url]),
  );
}

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
