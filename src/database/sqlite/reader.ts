import type { Operations, Snapshot } from '../DATABASE.ts';
import { lostHead } from '../failure.ts';
import { requireTables } from '../rebuild.ts';
import { openReadOnly, type ReadOnlyFile } from './at-rest.ts';
import { openConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { storageFault } from './error.ts';
import { requireFile, requireSchema } from './file.ts';
import { refuseForeignFile } from './foreign-file.ts';
import type { Task, ThreadData } from './messages.ts';
import { type RequestPort, serveRequests } from './port.ts';

// The thread that reads: each operation on a snapshot of its own, beside the thread that writes.

interface Reader extends Snapshot, ReadOnlyFile {}

const busyMilliseconds = 5_000;
let reader: Reader | undefined;

await serveRequests(async (port) => {
  for (let request = port.next(); request !== undefined; request = port.next()) {
    try {
      port.answer({ id: request.id, kind: 'output', output: await performUndisturbed(port, request.task) });
    } catch (error) {
      port.fail(request.id, storageFault(error, port.data.path) ?? error);
    }
  }
});

/** What was read while another process came to the file is read again, as beside any process. */
async function performUndisturbed(port: RequestPort, task: Task): Promise<unknown> {
  if (reader?.isUndisturbed() === false) close();
  let output: unknown;
  try {
    output = await perform(port, task);
  } catch (error) {
    if (reader?.isUndisturbed() !== false) throw error;
  }
  if (reader?.isUndisturbed() !== false) return output;
  close();
  return await perform(port, task);
}

async function perform(port: RequestPort, task: Task): Promise<unknown> {
  switch (task.kind) {
    case 'start':
      return undefined;
    case 'operation':
      return inSnapshot(await open(port.data), (snapshot) => read(port.operations, snapshot, task.name, task.input));
    case 'last_sequence': {
      const { connection } = await open(port.data);
      const head = connection.prepare('select sequence from log_head where id = 1').get();
      if (head === undefined) throw lostHead();
      return head.sequence;
    }
    case 'health': {
      const { connection } = await open(port.data);
      const there = connection.prepare("select name from sqlite_schema where type in ('table', 'trigger')").all();
      requireTables(there.map(({ name }) => String(name)));
      if (connection.prepare('select 1 from log_head where id = 1').get() === undefined) throw lostHead();
      return connection.prepare('select sqlite_version() as version').get()?.version;
    }
    case 'close':
      close();
      return undefined;
    default:
      throw new TypeError(`the reading thread does not ${task.kind}`);
  }
}

async function open({ path, readOnly }: ThreadData): Promise<Reader> {
  if (reader !== undefined) return reader;
  requireFile(path);
  const file = readOnly ? openReadOnly(path, busyMilliseconds) : beside(path);
  const { connection } = file;
  try {
    const sql = sqliteQueries(connection);
    await requireSchema(path, connection, sql);
    reader = { ...file, sql };
    return reader;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Beside the thread that writes. */
function beside(path: string): ReadOnlyFile {
  refuseForeignFile(path, busyMilliseconds);
  return { connection: openConnection(path, { readOnly: true, busyMilliseconds }), isUndisturbed: () => true };
}

function close(): void {
  reader?.connection.close();
  reader = undefined;
}

async function inSnapshot(snapshot: Reader, body: (snapshot: Snapshot) => Promise<unknown>): Promise<unknown> {
  const { database } = snapshot.connection;
  database.exec('begin');
  try {
    return await body(snapshot);
  } finally {
    if (database.isTransaction) database.exec('rollback');
  }
}

async function read(operations: Operations, snapshot: Snapshot, name: string, input: unknown): Promise<unknown> {
  const operation = operations.reads[name];
  if (operation === undefined) throw new TypeError(`no reading operation is named ${name}`);
  return operation({ sql: snapshot.sql }, input as never);
}
