import { ArtifactstoreError } from '../../kernel/error.ts';
import type { LogHead } from '../../kernel/log/event.ts';
import { systemClock } from '../clock.ts';
import { lostHead, toFailure } from '../failure.ts';
import { applyMigrations } from '../migrations/migrations.ts';
import type { Replayed } from '../replay.ts';
import { type InSavepoint, runSet, takeSet, unknownOperation } from '../sets.ts';
import type { LogSession, OperationContext } from '../transaction.ts';
import { openConnection, type SqliteConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { isBusy, storageFault } from './error.ts';
import { makeFile, requireFile, requireSchema, requireWritable } from './file.ts';
import { refuseForeignFile } from './foreign-file.ts';
import { fileOf, type OpenFiles, rememberFiles, requireHome } from './home.ts';
import type { Answer, Request } from './messages.ts';
import { type RequestPort, serveRequests } from './port.ts';
import { replayViews } from './replay.ts';
import { lostTransaction, runFirst, runInSavepoint } from './savepoint.ts';
import { readHead, sqliteSession } from './session.ts';

// The thread that writes. Whatever has arrived when a transaction is open goes into it, in sets and up to a bound; one
// commit, one fsync.

interface Writer extends OperationContext {
  readonly connection: SqliteConnection;
  readonly path: string;
  readonly session: LogSession;
  readonly files: OpenFiles;
}

type OperationRequest = Request & { readonly task: { readonly kind: 'operation' } };

const batchOperations = 256;
const batchMilliseconds = 50;
const busyMilliseconds = 5_000;
/** How long to wait for the processes that share the file. */
const lockMilliseconds = 30_000;
/** Less than whoever asks for the health waits. */
const healthLockMilliseconds = 2_000;

let writer: Writer | undefined;
/** The database as this process first had it. */
let home: string | undefined;

await serveRequests(async (port) => {
  for (let request = port.next(); request !== undefined; request = port.next()) {
    if (request.task.kind === 'operation') {
      port.putBack(request);
      await runBatch(port);
      continue;
    }
    try {
      port.answer({ id: request.id, kind: 'output', output: await perform(port, request) });
    } catch (error) {
      port.fail(request.id, storageFault(error, port.data.path) ?? error);
    }
  }
});

async function perform(port: RequestPort, request: Request): Promise<unknown> {
  switch (request.task.kind) {
    case 'start':
      home ??= fileOf(port.data.path);
      return undefined;
    case 'migrate':
      return migrate(port.data.path);
    case 'health':
      return health(port.data.path);
    case 'replay':
      return replay(port, request.id);
    case 'close':
      close();
      return undefined;
    default:
      throw new TypeError(`the writing thread does not ${request.task.kind}`);
  }
}

async function runBatch(port: RequestPort): Promise<void> {
  const started = performance.now();
  const taken: number[] = [];
  const answers: Answer[] = [];
  try {
    const context = await open(port.data.path);
    const { connection } = context;
    context.files.check();
    let start = beginWithHead(connection);
    let head = start;
    let hasWork = false;
    const inSavepoint: InSavepoint = async (from, body) => {
      if (hasWork) return await runInSavepoint(context, from, body);
      const ran = await runFirst(context, from, body, () => {
        start = beginWithHead(connection);
        return start;
      });
      hasWork = 'output' in ran.outcome;
      return ran;
    };
    for (let set = nextSet(port); set.length > 0; set = nextSet(port)) {
      for (const { id } of set) taken.push(id);
      const ran = await runRequests(inSavepoint, head, port, set);
      head = ran.head;
      answers.push(...ran.answers);
      if (taken.length >= batchOperations || performance.now() - started > batchMilliseconds) break;
    }
    writeHead(connection, start, head);
    connection.database.exec('commit');
  } catch (error) {
    const fault = abandonBatch(error, port.data.path);
    if (taken.length === 0) for (let set = nextSet(port); set.length > 0; set = nextSet(port)) for (const { id } of set) taken.push(id);
    for (const id of taken) port.fail(id, fault);
    return;
  }
  port.answerAll(answers);
}

/** Operations that are run at once; none where another request is next, or nothing has arrived. */
function nextSet(port: RequestPort): readonly OperationRequest[] {
  const arrived = port.arrived();
  const [first] = arrived;
  if (first === undefined || !isOperation(first)) return [];
  return takeSet(arrived, port.operations, (request) => (isOperation(request) ? request.task : undefined)) as readonly OperationRequest[];
}

function isOperation(request: Request): request is OperationRequest {
  return request.task.kind === 'operation';
}

async function runRequests(
  inSavepoint: InSavepoint,
  head: LogHead,
  port: RequestPort,
  set: readonly OperationRequest[],
): Promise<{ readonly head: LogHead; readonly answers: readonly Answer[] }> {
  const { name } = set[0]!.task;
  const inputs = set.map(({ task }) => task.input);
  const ran = await runSet(port.operations.writes[name] ?? unknownOperation(name), inputs, head, inSavepoint);
  const { sequence } = ran.head;
  const answers = set.map(({ id }, index): Answer => {
    const outcome = ran.outcomes[index]!;
    return 'error' in outcome
      ? { id, kind: 'failure', failure: toFailure(outcome.error) }
      : { id, kind: 'output', output: outcome.output, sequence };
  });
  return { head: ran.head, answers };
}

/** Leaves no transaction behind, and no connection that may be in doubt. What everybody in the batch is told. */
function abandonBatch(error: unknown, path: string): ArtifactstoreError {
  const database = writer?.connection.database;
  const fault = error instanceof ArtifactstoreError ? error : (storageFault(error, path) ?? lostTransaction(error));
  try {
    if (database?.isTransaction === true) database.exec('rollback');
  } catch {
    close();
  }
  if (!isBusy(error) && fault.code !== 'storage_full') leave();
  return fault;
}

/**
 * Closes the connection. One whose log has lost its name is kept, and what is in the log brought into the file: nobody
 * else can.
 */
function leave(): void {
  if (writer?.files.isLogLost() !== true) {
    close();
    return;
  }
  try {
    writer.connection.database.exec('pragma wal_checkpoint(full)');
  } catch {
    // It is tried again at the next write.
  }
}

/** What a write needs, short of writing. */
async function health(path: string): Promise<undefined> {
  const { connection, files } = await open(path);
  files.check();
  requireWritable(path);
  begin(connection, healthLockMilliseconds);
  connection.database.exec('rollback');
  return undefined;
}

async function replay(port: RequestPort, id: number): Promise<Replayed> {
  const { connection } = await open(port.data.path);
  // Sorting whole indexes is for a file.
  connection.database.exec('pragma temp_store = file');
  writer?.files.check();
  begin(connection, lockMilliseconds);
  try {
    const replayed = await replayViews(port.data.path, connection, (done, total) => port.answer({ id, kind: 'progress', done, total }));
    connection.forget();
    connection.database.exec('commit');
    connection.database.exec('pragma temp_store = memory');
    return replayed;
  } catch (error) {
    abandonBatch(error, port.data.path);
    close();
    throw error;
  }
}

/** Takes the write lock. The processes that share the file ask again and again: SQLite itself keeps no queue. */
function begin(connection: SqliteConnection, waitMilliseconds: number): void {
  const deadline = performance.now() + waitMilliseconds;
  for (;;) {
    try {
      connection.database.exec('begin immediate');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, 0.2 + Math.random());
    }
  }
}

function beginWithHead(connection: SqliteConnection): LogHead {
  begin(connection, lockMilliseconds);
  const head = readHead(connection);
  if (head === undefined) throw lostHead();
  return head;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function writeHead(connection: SqliteConnection, before: LogHead, head: LogHead): void {
  if (head.sequence > before.sequence)
    connection.prepare('update log_head set sequence = ?, chain_digest = ? where id = 1').run(head.sequence, head.chain_digest);
}

async function open(path: string): Promise<Writer> {
  if (writer !== undefined) return writer;
  if (home === undefined) requireFile(path);
  home ??= fileOf(path);
  // Another file is not opened, so that nothing of it is touched.
  requireHome(path, home);
  refuseForeignFile(path, busyMilliseconds);
  const connection = openConnection(path, { readOnly: false, busyMilliseconds });
  try {
    const session = sqliteSession(connection);
    await requireSchema(path, connection, session.sql);
    const { id } = await session.sql.selectFrom('registry').select('id').executeTakeFirstOrThrow();
    connection.database.exec('pragma busy_timeout = 0');
    writer = { connection, path, session, files: rememberFiles(path, home), registryId: id, clock: systemClock };
    return writer;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function migrate(path: string): Promise<readonly string[]> {
  close();
  refuseForeignFile(path, busyMilliseconds);
  makeFile(path);
  const connection = openConnection(path, { readOnly: false, busyMilliseconds });
  try {
    begin(connection, lockMilliseconds);
    const applied = await applyMigrations('sqlite', sqliteQueries(connection), systemClock);
    connection.database.exec('commit');
    home ??= fileOf(path);
    return applied;
  } finally {
    connection.close();
  }
}

function close(): void {
  writer?.connection.close();
  writer = undefined;
}
