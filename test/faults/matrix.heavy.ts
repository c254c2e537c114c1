import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRegistry } from '../../src/index.ts';
import type { EventType } from '../../src/kernel/log/event.ts';
import { inspectRegistry } from './inspect.ts';
import { draftName } from './matrix-draft-name.ts';
import { type Fault, faults, type Step, steps } from './matrix-steps.ts';
import type { MatrixLine, Phase } from './matrix-worker.ts';
import { makeDisk, must, pullPlug, withoutDisk } from './power-loss-disk.ts';
import type { Line } from './writer.ts';

const worker = fileURLToPath(new URL('./matrix-worker.ts', import.meta.url));
const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? 20_261_120);

const refusals = ['storage_full', 'storage_unavailable', 'database_unavailable'];

interface Folders {
  /** Has the database, and a symbolic link to the storage. */
  readonly database: string;
  readonly storage: string;
}

interface Prepared {
  readonly folders: Folders;
  /** What was acknowledged. */
  readonly lines: readonly MatrixLine[];
  /** How many objects' bytes are in the database alone. */
  readonly held: number;
}

describe('every durable step, and what may befall it', { skip: withoutStrace() }, () => {
  const withoutPower = withoutDisk();
  const results = new Map<string, Partial<Record<Fault, string>>>();
  let scratch: string;
  let prepared: Prepared;
  /** The same with bytes that are held. */
  let filled: Prepared;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'artifactstore-'));
    const folders = foldersIn('prepared');
    mkdirSync(folders.database);
    writeFileSync(join(folders.database, 'retention.toml'), '[retention_classes.blink]\ndefault_duration_seconds = 1\n');
    const ended = await run(folders, 'prepare');
    assert.equal(ended.how, 0, ended.stderr);
    prepared = { folders, lines: ended.lines, held: 0 };
    const fuller = foldersIn('filled');
    cpSync(folders.database, fuller.database, { recursive: true });
    const killed = await run(fuller, 'fill');
    assert.equal(killed.how, 'SIGKILL', killed.stderr);
    cpSync(fuller.database, foldersIn('counted').database, { recursive: true });
    filled = { folders: fuller, lines: [...ended.lines, ...killed.lines], held: await heldIn(foldersIn('counted').database) };
    assert.ok(filled.held >= 12);
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  describe('cell by cell', { concurrency: 2 }, () => {
    for (const step of steps)
      for (const fault of step.faults ?? faults)
        it(`${step.title}: ${fault}`, { skip: fault === 'power loss' && withoutPower }, async () => {
          const row = results.get(step.title) ?? {};
          results.set(step.title, row);
          row[fault] = 'FAILED';
          for (const nth of step.nth) await (fault === 'power loss' ? losePower(step, nth) : strike(step, fault, nth));
          row[fault] = `ok (${step.nth.length})`;
        });
  });

  it('gives this table', (context) => tabulate(context, results));

  const foldersIn = (name: string): Folders => ({ database: join(scratch, name), storage: join(scratch, name, 'storage') });
  const preparedFor = ({ phase }: Step): Prepared => (phase === 'settle' ? filled : prepared);

  async function strike(step: Step, fault: Exclude<Fault, 'power loss'>, nth: number): Promise<void> {
    const directory = mkdtempSync(join(scratch, 'cell-'));
    const folders = { database: directory, storage: join(directory, 'storage') };
    const start = preparedFor(step);
    cpSync(start.folders.database, directory, { recursive: true });
    const ended = await run(folders, step.phase, { step, fault, nth });
    if (fault === 'SIGKILL') {
      assert.equal(ended.how, 'SIGKILL', `the step was not reached: ${ended.stderr}`);
      if (step.event !== undefined && nth === step.nth[0]) assert.equal(await hasEvent(directory, step.event), true, otherStep);
      if (step.held !== undefined) await checkHeld(step, directory, step.held.killed);
    } else {
      assert.match(ended.strace, /INJECTED/, 'the step was not reached');
      assert.equal(ended.how, 0, ended.stderr);
      assert.ok(
        ended.lines.some(({ kind }) => kind === 'served'),
        'it did not go on serving',
      );
      const refused = ended.lines.flatMap((line) => (line.kind === 'refused' ? [line.code] : []));
      assert.ok(step.behind === true || refused.length > 0, 'nobody was told');
      for (const code of refused) assert.ok(refusals.includes(code), `it was told as ${code}`);
      for (const line of ended.lines) if (line.kind === 'verified') assert.equal(line.bad, 0);
    }
    await inspect(directory, [...start.lines, ...ended.lines]);
    rmSync(directory, { recursive: true });
  }

  /**
   * Killed before the step, and with the process the power of the disk: nothing but what was made durable is there
   * afterwards.
   */
  async function losePower(step: Step, nth: number): Promise<void> {
    const cell = mkdtempSync(join(scratch, 'cell-'));
    const disk = join(cell, 'disk');
    mkdirSync(disk);
    makeDisk(join(cell, 'image'), disk);
    try {
      const database = join(step.part === 'database' ? disk : cell, 'database');
      const storage = join(step.part === 'storage' ? disk : cell, 'storage');
      const start = preparedFor(step);
      cpSync(start.folders.database, database, { recursive: true });
      cpSync(join(database, 'storage'), storage, { recursive: true });
      rmSync(join(database, 'storage'), { recursive: true });
      symlinkSync(storage, join(database, 'storage'));
      must('sync', '-f', disk);
      const ended = await run({ database, storage }, step.phase, { step, fault: 'SIGKILL', nth });
      must('python3', '-c', pullPlug, disk);
      assert.equal(ended.how, 'SIGKILL', `the step was not reached: ${ended.stderr}`);
      must('umount', disk);
      must('mount', '-o', 'loop', join(cell, 'image'), disk);
      if (step.event !== undefined && nth === step.nth[0]) assert.equal(await hasEvent(database, step.event), false, otherStep);
      if (step.held !== undefined) await checkHeld(step, database, step.held.unpowered);
      await inspect(database, [...start.lines, ...ended.lines]);
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
    rmSync(cell, { recursive: true });
  }

  async function checkHeld({ phase }: Step, directory: string, expected: 'all' | 'nothing'): Promise<void> {
    const held = await heldIn(directory);
    if (phase === 'fill') assert.ok(held >= 12, otherStep);
    else assert.equal(held, expected === 'all' ? filled.held : 0, otherStep);
  }

  interface Ended {
    readonly lines: readonly MatrixLine[];
    readonly how: number | string;
    readonly stderr: string;
    /** The calls that were failed. */
    readonly strace: string;
  }

  async function run(
    { database, storage }: Folders,
    phase: Phase,
    injection?: { readonly step: Step; readonly fault: Exclude<Fault, 'power loss'>; readonly nth: number },
  ): Promise<Ended> {
    const trace = join(mkdtempSync(join(scratch, 'strace-')), 'calls');
    writeFileSync(trace, '');
    const command = [process.execPath, worker, database, storage, phase, String(seed)];
    if (injection?.step.calls !== undefined) {
      const { step, fault, nth } = injection;
      const paths = pathsOf(step, { database, storage }).flatMap((path) => ['-P', path]);
      const what = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
      const inject = ['-e', `trace=${step.calls}`, '-e', `inject=${step.calls}:${what}:when=${nth}`];
      // Told of all calls, strace is slower; told of its own only, it does not send signals.
      const told = fault === 'SIGKILL' ? [] : ['--seccomp-bpf'];
      command.unshift('strace', '-f', ...told, '-qq', '-o', trace, ...paths, ...inject);
    }
    // One thread for files, so that "the third fsync" means the same thing in every run.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const { promise, resolve, reject } = Promise.withResolvers<number | string>();
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    const how = await promise;
    // What follows the last line break was not said.
    const lines = stdout.split('\n').slice(0, -1);
    return { lines: lines.map((line) => JSON.parse(line)), how, stderr, strace: readFileSync(trace, 'utf8') };
  }
});

/** What must hold after any fault, and after the collection that follows it. */
async function inspect(directory: string, lines: readonly MatrixLine[]): Promise<void> {
  await inspectRegistry(directory, lines as readonly Line[]);
  if ((await settleIn(directory)) > 0) await inspectRegistry(directory, lines as readonly Line[]);
  await using store = await openRegistry({ directory });
  const registry = store.as('inspector');
  for (const line of lines)
    if (line.kind === 'collected') assert.equal((await registry.packages.get(line.package_id))?.status, 'garbage_collected');
  const { backends } = await store.operator.collect({ draftAgeSeconds: 0 });
  for (const backend of backends)
    assert.deepEqual([backend.stored_objects, backend.stored_bytes], [backend.live_objects, backend.live_bytes], backend.backend_id);
  assert.deepEqual(readdirSync(join(directory, 'storage', 'drafts')), [], 'a draft is left');
  const { last_sequence } = await registry.health();
  const again = await store.operator.collect({ draftAgeSeconds: 0 });
  assert.deepEqual(again, {
    abandoned_package_ids: [],
    collected_package_ids: [],
    released_locations: 0,
    deleted_objects: 0,
    reclaimed_drafts: 0,
    deleted_orphans: 0,
    backends,
    left_over: [],
  });
  assert.equal((await registry.health()).last_sequence, last_sequence, 'a second collection changed the log');
  const verdict = await store.operator.verifyEvents();
  assert.ok(verdict.ok, verdict.reason);
  const { failed, missing } = await store.operator.verifyStorage('local', { restart: true });
  assert.deepEqual([failed, missing], [0, 0]);
}

const otherStep = 'the steps come in another order now';

async function heldIn(directory: string): Promise<number> {
  await using store = await openRegistry({ directory });
  return (await store.as('inspector').health()).backend.held_objects ?? Number.NaN;
}

/** Puts all that is held into its backend; how much that was. */
async function settleIn(directory: string): Promise<number> {
  await using store = await openRegistry({ directory });
  const settled = await store.operator.settleHeld();
  assert.equal((await store.as('inspector').health()).backend.held_objects, 0);
  return settled;
}

async function hasEvent(directory: string, eventType: EventType): Promise<boolean> {
  await using store = await openRegistry({ directory });
  const { items } = await store.as('inspector').events.page({ since: 0, limit: 500 });
  return items.some(({ event_type }) => event_type === eventType);
}

function pathsOf({ on, phase }: Step, { database, storage }: Folders): readonly string[] {
  switch (on) {
    case undefined:
      return [];
    case 'drafts':
      return Array.from({ length: 60 }, (_, index) => join(storage, 'drafts', draftName(phase, index)));
    case 'objects':
      return readdirSync(join(storage, 'blake3'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    default:
      return [join(database, on)];
  }
}

function tabulate(context: TestContext, results: ReadonlyMap<string, Partial<Record<Fault, string>>>): void {
  const cell = (step: Step, fault: Fault) =>
    (step.faults ?? faults).includes(fault) ? (results.get(step.title)?.[fault] ?? 'skipped') : '';
  const cells = [['', ...faults], ...steps.map((step) => [step.title, ...faults.map((fault) => cell(step, fault))])];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  for (const row of cells)
    context.diagnostic(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

function withoutStrace(): string | false {
  const probe = spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true']);
  return probe.status === 0 ? false : 'strace (the Debian package strace) is not installed, or is not allowed to trace';
}
