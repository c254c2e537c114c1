import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import type { NewFile } from '../../../src/registry/REGISTRY.ts';
import { openBounded } from '../bounded.ts';

// A process whose four writers fill a producer's quota until not one byte more fits, and print how many bytes they have
// in the end. They also add again what is there, and give packages up, as often as they are told. Two of them hand
// files over in write sessions: what was reserved at an opening is refused no more, and some of it is aborted.

const { directory, databaseUrl, bytes, abandon } = JSON.parse(process.argv[2]!) as {
  readonly directory: string;
  readonly databaseUrl?: string;
  readonly bytes: number;
  readonly abandon: number;
};
await using store = await openBounded({ directory, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
store.bound('near', { maximum_bytes: bytes });
const { files, packages, writeSessions } = store.registry;

async function fill(): Promise<number> {
  let id = await store.create('near');
  let acknowledged = 0;
  let given = 0;
  const largest = 1 + Math.floor(Math.random() * (bytes / 8));
  for (let size = largest, number = 0; size >= 1; number++)
    try {
      const one = number % 3 === 0;
      acknowledged += await add(id, `f${number}`, randomBytes(size), one);
      size = Math.min(size * 2, largest);
      if (given < abandon && number % 5 === 4) {
        given++;
        await packages.abandon(id);
        id = await store.create('near');
        acknowledged = 0;
      }
    } catch (error) {
      if (!isArtifactstoreError(error, 'quota_exceeded')) throw error;
      size = Math.floor(size / 2);
    }
  return acknowledged;
}

/** Alone, or with another in one request; and once more, which adds nothing. */
async function add(id: string, path: string, content: Uint8Array, alone: boolean): Promise<number> {
  const half = Math.floor(content.length / 2);
  const parts = alone ? [content] : [content.subarray(0, half), content.subarray(half)];
  const news = (): NewFile[] => parts.map((part, index) => ({ relative_path: `${path}/${index}`, body: chunks(part) }));
  async function* each(): AsyncIterable<NewFile> {
    yield* news();
  }
  if (alone) await files.add(id, news()[0]!);
  else await files.addMany(id, each());
  const again = alone ? [await files.add(id, news()[0]!)] : await files.addMany(id, each());
  if (again.some(({ created }) => created)) throw new Error('the same file was added twice');
  return content.length;
}

async function fillInSessions(): Promise<number> {
  let acknowledged = 0;
  let given = 0;
  const largest = 1 + Math.floor(Math.random() * (bytes / 8));
  for (let size = largest, number = 0; size >= 1; number++) {
    const id = await openSession(size).catch((error: unknown) => {
      if (!isArtifactstoreError(error, 'quota_exceeded')) throw error;
      return undefined;
    });
    if (id === undefined) size = Math.floor(size / 2);
    else if (given < abandon && number % 3 === 2) {
      given++;
      await writeSessions.abort(id);
    } else {
      await writeSessions.commit(id);
      acknowledged += size;
      size = Math.min(size * 2, largest);
    }
  }
  return acknowledged;
}

/** With all that it announced, in two objects. */
async function openSession(size: number): Promise<string> {
  const half = Math.floor(size / 2);
  const parts = [randomBytes(half), randomBytes(size - half)];
  const objects = parts.map((part, index) => {
    return { name: `${index}`, sha256: createHash('sha256').update(part).digest('hex'), size_bytes: part.length };
  });
  const input = { scope: 's', producer: 'near', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 3600, objects };
  const { record } = await writeSessions.open(input, { idempotencyKey: randomUUID() });
  for (const [index, part] of parts.entries()) await writeSessions.put(record.id, `${index}`, chunks(part));
  return record.id;
}

const sums = await Promise.all([fill(), fill(), fillInSessions(), fillInSessions()]);
process.stdout.write(`${sums.reduce((sum, each) => sum + each, 0)}\n`);
