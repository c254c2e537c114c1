import type { PackageCopy } from '../../client/import/copy-package.ts';
import { followSource } from '../../client/import/follow-source.ts';
import { createImporter, type Imported } from '../../client/import/import-packages.ts';
import { type ImportReport, problemsOf } from '../../client/import/report.ts';
import { connectSource, type Source } from '../../client/import/source.ts';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError, withInfo } from '../../kernel/error.ts';
import { parseHttpUrl } from '../../protocol/http-url.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect, longPatienceSeconds, sourceTokenOf } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode, exitCodes } from '../exit.ts';
import { withHint } from '../terminal/hint.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';
import { count, counted, countFiles, formatBytes } from '../terminal/size.ts';

interface ImportCommandOptions {
  readonly from: string;
  readonly producer?: readonly string[];
  readonly holds: boolean;
  readonly follow?: boolean;
  readonly jobs: number;
}

/** A mirror outlives restarts of both registries. */
const mirrorPatienceSeconds = 3600;

export const importCommand: Definition = (command, context) => {
  command
    .requiredOption('--from <url>', 'the registry to copy from, of this version or of 0.1')
    .option('--producer <producer>', 'packages of this producer only; can be given again', (name, all: readonly string[] = []) => [
      ...all,
      name,
    ])
    .option('--no-holds', 'do not copy holds, and do not ask for them')
    .option('--follow', 'then keep a mirror: copy what is sealed, held or extended there, until Ctrl-C')
    .option('--jobs <n>', 'requests at once, at either registry', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Copies the sealed packages that the token of the source may read: files,
metadata, retention class, a later expiry and holds. Each file is compared with
both digests of its manifest. What is there is found again, so the same command
resumes a run that was stopped, on any machine. The source is never changed. Its
token comes from ARTIFACTSTORE_SOURCE_TOKEN or ARTIFACTSTORE_SOURCE_TOKEN_FILE;
no other token is sent there. Ends with 5 where bytes differ, with 1 where a
package could not be copied with all that belongs to it.

Examples:
  $ artifactstore import --from https://old.example.org
  $ artifactstore import --from https://old.example.org --producer ci --json
  $ artifactstore import --from https://far.example.org --follow`,
    )
    .action(async (options: ImportCommandOptions) => {
      await importFrom(context(), options);
    });
};

/** Whose message never has the address where that may have a password. */
function sourceUrl(text: string): string {
  try {
    return parseHttpUrl(text);
  } catch (error) {
    const why =
      text.includes('@') || !(error instanceof Error)
        ? 'it is no http:// or https:// address without a user and a password'
        : error.message;
    throw new ArtifactstoreError('invalid_value', `--from: ${why}.`, { field: '--from' });
  }
}

async function importFrom(context: Context, options: ImportCommandOptions): Promise<void> {
  const { config, output } = context;
  const { producer: producers = [], holds, follow = false, jobs } = options;
  const from = sourceUrl(options.from);
  if (from === config.apiUrl) throw explained(sameRegistry(from));
  const patienceSeconds = follow ? mirrorPatienceSeconds : longPatienceSeconds;
  using stop = stopOnSignal();
  const { signal } = stop;
  await using target = connect(context, { patienceSeconds });
  await using source = openSource(context, from, jobs, patienceSeconds);
  const progress = await createProgress(output, 'copying');
  let mirrors = false;
  const importer = createImporter(source, target, {
    producers,
    holds,
    jobs,
    signal,
    cacheDirectory: config.cacheDirectory,
    onTotal: (bytes) => (mirrors ? undefined : progress.grow(bytes)),
    onDone: (bytes) => (mirrors ? undefined : progress.advance(bytes)),
    onPackage: (copy) => (mirrors ? tellMirrored(context, copy) : undefined),
  });
  try {
    if (!follow) return await finish(context, await importer.all().finally(progress.stop));
    await followSource(source, importer, {
      signal,
      onImported: (imported) => {
        progress.stop();
        mirrors = imported.failure === undefined;
        tellMirror(context, imported.report);
      },
      onAgain: (reason) => {
        output.note(`everything is looked at again: ${reason}`);
        mirrors = false;
      },
    });
  } catch (error) {
    // Being stopped is how following ends.
    if (!(follow && signal.aborted)) throw explained(error);
  } finally {
    progress.stop();
  }
}

function openSource({ config, output, version }: Context, url: string, jobs: number, patienceSeconds: number): Source {
  let waited = false;
  return connectSource({
    url,
    token: sourceTokenOf(config),
    userAgent: `artifactstore/${version}`,
    connections: jobs,
    patienceSeconds,
    names: { address: '--from', token: 'ARTIFACTSTORE_SOURCE_TOKEN or ARTIFACTSTORE_SOURCE_TOKEN_FILE' },
    onRetry: (error, waitSeconds) => {
      if (waitSeconds < 0.5 || waited) return;
      output.note(`waiting for the source: ${error.message}`);
      waited = true;
    },
  });
}

async function finish(context: Context, { report, failure }: Imported): Promise<void> {
  const { output, exitWith } = context;
  // Where nothing was done there is nothing to report, and the error says why.
  if (failure !== undefined && Object.values(report.packages).every((number) => number === 0)) throw failure;
  if (output.json) output.value({ ...report, complete: failure === undefined && report.problems.length === 0 });
  else await tellReport(context, report);
  const damaged = report.problems.filter(({ code }) => isIntegrity(code));
  if (damaged.length > 0)
    throw new ArtifactstoreError(
      'integrity_failure',
      `${counted(damaged.length, 'problem')} with bytes that are not those of the source's manifests${failure === undefined ? '' : `; and the run was ended: ${messageOf(failure)}`}.`,
      { info: { hint: 'no such file is in a sealed package of the target; look at the source, and run the same command again' } },
    );
  if (failure !== undefined)
    throw isArtifactstoreError(failure) ? withHint(failure, 'what was copied stays; the same command resumes') : failure;
  if (report.problems.length > 0) exitWith(exitCode.failed);
}

async function tellReport({ output }: Context, report: ImportReport): Promise<void> {
  const { packages, copied_files, copied_bytes, sent_bytes, open_packages, ended_packages, problems, problems_left_out } = report;
  const { green, red } = output.colors;
  const sent = `${countFiles(copied_files)}, ${formatBytes(copied_bytes)}, ${formatBytes(sent_bytes)} sent`;
  output.line(`${green('copied')} ${counted(packages.copied, 'package')} from ${report.source}: ${sent}`);
  const others = [
    [packages.present, 'there already'],
    [open_packages, 'not sealed yet, and not copied'],
    [ended_packages, 'abandoned or collected at the source'],
    [packages.gone, 'gone from the source meanwhile'],
    [packages.expired, 'expired in both registries'],
    [packages.from_here, 'copies of packages that are here'],
  ] as const;
  for (const [number, what] of others) if (number > 0) output.line(`  ${count(number)} ${what}`);
  if (packages.failed > 0) output.line(`  ${red(`${count(packages.failed)} could not be copied`)}`);
  if (problems.length === 0) return;
  const rows = problems.map((each) => [each.source_package_id, each.name, each.producer, each.code, each.detail]);
  await output.table(['PACKAGE', 'NAME', 'PRODUCER', 'PROBLEM', 'DETAIL'], rows);
  if (problems_left_out > 0) output.note(`not shown: ${counted(problems_left_out, 'more problem')}`);
}

/** Of the first run of a mirror, and of others over everything. */
function tellMirror({ output }: Context, report: ImportReport): void {
  if (output.json) {
    output.value(report);
    return;
  }
  const { packages, problems } = report;
  output.line(
    `${output.colors.green('mirrored')} ${report.source}: ${count(packages.copied)} copied, ${count(packages.present)} there already`,
  );
  for (const { source_package_id, code, detail } of problems) output.warn(`warning: ${source_package_id}: ${detail} (${code})`);
}

function tellMirrored({ output }: Context, copy: PackageCopy): void {
  const { state, package_id, original } = copy;
  const problems = problemsOf(copy);
  if (output.json) {
    output.value({ state, source_package_id: original.id, package_id, problems });
    return;
  }
  output.line(`${state.padEnd(9)}  ${original.id}  ${package_id ?? '-'}  ${original.producer}  ${original.name}`);
  for (const { code, detail } of problems) output.warn(`warning: ${original.id}: ${detail} (${code})`);
}

function sameRegistry(url: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `${url} is the registry that is to be copied to.`, { info: { same_registry: true } });
}

function explained(error: unknown): unknown {
  if (!isArtifactstoreError(error) || error.info?.same_registry !== true) return error;
  const hint = 'ARTIFACTSTORE_API_URL (or --api-url) names the registry that is copied to, --from the one that is read';
  return withInfo(new ArtifactstoreError('invalid_value', `--from: ${error.message}`, { field: '--from', cause: error }), { hint });
}

function isIntegrity(code: string): boolean {
  return Object.hasOwn(exitCodes, code) && exitCodes[code as ErrorCode] === exitCode.integrityFailure;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
