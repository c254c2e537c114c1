import { resolve } from 'node:path';
import { Option } from 'commander';
import { type StorePlace, type StoreShape, storeShapes } from '../../certify/shape/reports.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { openEvidence } from '../smoke/evidence.ts';
import { type EvidenceIndex, indexOf, indexPage } from '../smoke/evidence-index.ts';
import { notRun, runStep, type StepFinding, type StepResult } from '../smoke/steps.ts';
import { addStoreOptions, type StoreOptions } from '../store-options.ts';
import { publicStoreSettings, readStorePlace } from '../store-settings.ts';
import { resultSigns } from '../terminal/certificate.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { counted, formatBytes } from '../terminal/size.ts';
import { scanDirectory } from './secrets-scan.ts';
import { lookAtStack, requireProxy } from './store-posture.ts';

interface SmokeOptions extends StoreOptions {
  readonly evidence: string;
  readonly shape: StoreShape;
  readonly compose?: readonly string[];
  readonly proxy?: string;
  readonly forbiddenHost?: readonly string[];
  readonly known?: readonly string[];
  readonly public?: readonly string[];
}

export const smoke: Definition = (command, context) => {
  addStoreOptions(command);
  command
    .requiredOption('--evidence <dir>', 'where the evidence goes, into a folder of its own for each run')
    .addOption(new Option('--shape <shape>', 'what the platform asks of its store').choices(storeShapes).default('cosmo'))
    .option('--compose <file...>', 'Compose files of the stack: see `store posture`')
    .option('--proxy <url>', 'the proxy in front of the stack: see `store posture`')
    .option('--forbidden-host <host...>', 'with --proxy: hosts that it must not know')
    .option('--known <file...>', 'more files of secrets that must not be in the evidence')
    .option('--public <name...>', 'names in these files whose values are no secrets')
    .addHelpText(
      'after',
      `
Says in one run whether a platform can start on its store: the bucket is there,
the store answers as it must (\`store probe\`), the stack is reached from inside
only where its files are given (\`store posture\`), and the evidence of all of it
has no secret in it (\`secrets scan\`). The bucket is not made: \`store init\` does.

Writes index.json, index.md and a file for each step. Ends with exit code 1 when
a step failed, with 6 when the store does not answer.

Examples:
  $ artifactstore smoke --settings /secrets/artifacts.env --evidence evidence/
  $ artifactstore smoke --settings artifacts.env --evidence evidence/ \\
      --compose deploy/cosmo/compose.yaml --proxy http://127.0.0.1 \\
      --known /secrets/cosmo.env`,
    )
    .action(async (options: SmokeOptions) => {
      const given = context();
      requireProxy(options);
      const place = await readStorePlace(given.directory, options.settings);
      const { path, index, code } = await run(given, options, place);
      show(given, index, path);
      if (code !== 0) given.exitWith(code);
    });
};

async function run(
  context: Context,
  options: SmokeOptions,
  place: StorePlace,
): Promise<{ readonly path: string; readonly index: EvidenceIndex; readonly code: number }> {
  const started = new Date();
  const begun = performance.now();
  const folder = await openEvidence(resolve(context.directory, options.evidence), started);
  const steps: StepResult[] = [];
  const writeIndex = async (): Promise<EvidenceIndex> => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const index = indexOf(steps, { place, version: context.version, started_at: started.toISOString(), seconds, shape: options.shape });
    await folder.writeJson('index.json', index);
    await folder.writeText('index.md', indexPage(index));
    return index;
  };
  steps.push(...(await askStore(context, options, place, (step, work) => runStep(step, folder, work))));
  const { compose, proxy } = options;
  steps.push(
    compose === undefined && proxy === undefined
      ? notRun('posture', 'neither --compose nor --proxy was given')
      : await runStep('posture', folder, () => posture(context, options)),
  );
  await writeIndex();
  const look = (named: readonly string[]): Promise<StepResult> => runStep('scan', folder, () => scan(context, options, folder.path, named));
  steps.push(await look(options.public ?? []));
  let index = await writeIndex();
  // What was written since then is looked at too, and the evidence says what was found there.
  if (index.ok) {
    steps[steps.length - 1] = await look([]);
    index = await writeIndex();
  }
  const code = steps.map(({ exit_code }) => exit_code).find((each) => each !== 0) ?? 0;
  return { path: folder.path, index, code };
}

async function askStore(
  { output, store }: Context,
  { settings, shape }: SmokeOptions,
  place: StorePlace,
  step: (name: 'bucket' | 'probe', work: () => Promise<StepFinding>) => Promise<StepResult>,
): Promise<readonly StepResult[]> {
  const { init, probe } = await store();
  using stop = stopOnSignal();
  using progress = createProgressLine(output);
  const { signal } = stop;
  const bucket = await step('bucket', async () => {
    const report = await init(place, { dryRun: true, signal });
    const ok = report.bucket === 'there';
    return {
      ok,
      summary: ok ? `bucket ${place.bucket} is there` : `there is no bucket ${place.bucket}`,
      remedy: `run \`artifactstore store init --settings ${settings}\``,
      report,
    };
  });
  if (bucket.result !== 'passed') return [bucket, notRun('probe', 'it needs the bucket, and the step before did not find it')];
  const probed = await step('probe', async () => {
    const onCheck = (
      { id, result }: { readonly id: string; readonly result: keyof typeof resultSigns },
      done: number,
      total: number,
    ): void => progress.show(() => `${done} of ${total}: ${id} ${resultSigns[result]}`);
    const report = await probe(place, { shape, signal, onCheck });
    const failed = report.checks.filter(({ result }) => result === 'fail' || result === 'skipped');
    const passed = report.checks.length - failed.length;
    const named = failed.map(({ id, detail }) => `${id} (${detail})`).join(', ');
    const left = report.leftovers.length === 0 ? '' : `; ${report.leftovers.length} left behind`;
    return {
      ok: report.ok,
      summary: `${passed} of ${counted(report.checks.length, 'check')} of the shape ${shape} hold${named === '' ? '' : `; not ${named}`}${left}`,
      remedy: [...new Set(failed.map(({ remedy }) => remedy))].join('; '),
      report,
    };
  });
  return [bucket, probed];
}

async function posture(context: Context, options: SmokeOptions): Promise<StepFinding> {
  const { report, code } = await lookAtStack(context, options);
  const { findings, exposure, services } = report;
  const { compose, proxy } = options;
  const wrong = [
    ...findings.map(({ rule, service, file, line }) => `${rule} ${service ?? ''} ${file}:${line}`),
    ...exposure.filter(({ answer }) => answer !== 'not_routed').map(({ host, answer }) => `${host} ${answer}`),
  ];
  const right = [
    ...(compose === undefined ? [] : [`${counted(services.length, 'service')}: by their files, reached from inside only`]),
    ...(proxy === undefined ? [] : [`${counted(exposure.length, 'forbidden host')}: the proxy leads to none`]),
  ];
  const notAsked = [
    ...(compose === undefined ? ['no files were looked at (--compose)'] : []),
    ...(proxy === undefined ? ['no proxy was asked (--proxy)'] : []),
  ];
  return {
    ok: report.ok,
    summary: [...(report.ok ? right : [wrong.join(', ')]), ...notAsked].join('; '),
    remedy: 'run `artifactstore store posture` with the same options: it says what to do for each',
    report,
    exitCode: code,
  };
}

/** `named`: those of `--public` of which it is noted where no file has them. */
async function scan(context: Context, options: SmokeOptions, directory: string, named: readonly string[]): Promise<StepFinding> {
  const { settings, known = [], public: open = [] } = options;
  const alsoPublic = [...publicStoreSettings, ...open];
  const report = await scanDirectory(context, directory, { known: [settings, ...known], public: named, alsoPublic });
  const found = [
    ...report.leaks.map(({ secret, path, offset }) => `${secret} in ${path} at byte ${offset}`),
    ...report.not_looked_at.map(({ path, reason }) => `${path} was not looked at: ${reason}`),
  ];
  return {
    ok: report.ok,
    summary: report.ok
      ? `${counted(report.files, 'file')}, ${formatBytes(report.bytes)}: no secret`
      : found.join(', ') || 'nothing was looked for',
    remedy: 'give the evidence to nobody, and remove it',
    report,
  };
}

function show({ output }: Context, index: EvidenceIndex, path: string): void {
  if (output.json) {
    output.value({ evidence: path, ...index });
    return;
  }
  const { red, green, dim, bold } = output.colors;
  const signs = { passed: green('passed'), failed: red('failed'), not_run: dim('not run') };
  for (const { step, result, summary, remedy } of index.steps) {
    output.line(`${signs[result]}${result === 'not_run' ? ' ' : '  '}${bold(step.padEnd(8))} ${summary}`);
    if (remedy !== null) output.line(`         do this: ${remedy}`);
  }
  output.line(`${index.ok ? green('passed') : red('failed')} ${path}/index.md`);
}
