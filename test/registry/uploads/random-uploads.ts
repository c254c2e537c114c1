import assert from 'node:assert/strict';
import type { Store } from '../../../src/compose/open-store.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Uploads } from '../../../src/registry/REGISTRY.ts';
import { createRandom } from '../random.ts';

/** What an upload is meant to hold, byte by byte, and what was acknowledged of it. */
interface Meant {
  readonly id: string;
  readonly number: number;
  readonly path: string;
  readonly size: number;
  acknowledged: number;
  finished: boolean;
  /** Somebody gave it up, or made it expire. */
  ended: boolean;
}

/** What may be answered to who does not know what others do meanwhile. */
const expected = [
  'upload_offset_mismatch',
  'upload_superseded',
  'upload_locked',
  'upload_not_found',
  'upload_finished',
  'upload_incomplete',
  // Who is late in another process, and who continues while another process makes the file of what is there.
  'upload_length_mismatch',
];
const longest = 400_000;
/** As short as what may come whole. */
const short = 65_537;

export interface RandomUploads {
  /** Share a database and a backend. */
  readonly stores: readonly Store[];
  readonly seed: number;
  readonly steps: number;
  /** Makes an upload expire. */
  age(id: string): Promise<void> | void;
}

/**
 * Begins, continues, asks, finishes, abandons, expires, sweeps and collects at random, several at a time, on registries
 * that share a database, with bodies that break off and writers that are late. A byte that was acknowledged is never
 * lost, and none that is seen is another than was sent for its place.
 */
export async function useUploadsAtRandom({ stores, seed, steps, age }: RandomUploads): Promise<void> {
  const random = createRandom(seed);
  const any = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const registry = () => any(stores).as('tester');
  const uploads = (): Uploads => registry().uploads!;
  const { record } = await registry().packages.create({ name: 'n', producer: `p${seed}`, subject: 's', retention_class: 'transient' });
  const all: Meant[] = [];
  let begun = 0;

  async function begin(): Promise<void> {
    const number = begun++;
    const size = random([20, longest, longest, short][random(4)]!);
    const path = `f/${number}`;
    const sized = random(2) === 0 ? { size_bytes: size } : {};
    const input = { package_id: record.id, relative_path: path, ...sized };
    const whole = random(4) === 0 ? await uploads().beginWhole(input, once(pattern(number, 0, size)), { body_bytes: size }) : undefined;
    const { id, offset_bytes, state } = whole ?? (await uploads().begin(input));
    all.push({ id, number, path, size, acknowledged: offset_bytes, finished: state === 'finished', ended: false });
  }

  async function append(meant: Meant): Promise<void> {
    const before = await look(meant);
    if (before === undefined) return;
    const offset = random(10) === 0 ? random(meant.size + 1) : before;
    // Many clients send pieces of one length.
    const end = random(3) === 0 ? meant.size : Math.min(meant.size, offset + (random(3) === 0 ? usualPiece : random(150_000)));
    const policy = random(4) === 0 ? 'locked' : 'takeover';
    const breaks = random(4) === 0;
    const late = random(4) === 0;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = offset; at < end; at += 40_000) {
        yield pattern(meant.number, at, Math.min(end, at + 40_000));
        await pause(random(4));
      }
      if (breaks) throw new Error('the connection broke');
      if (!late) return;
      // Somebody else continues, and only then comes something that must never be seen.
      const settled = await uploads().status(meant.id, { settle: true });
      if (settled === undefined) return;
      yield Buffer.alloc(30_000, 0xff);
    };
    const last = end === meant.size && !breaks && !late && random(2) === 0;
    const stated = random(2) === 0 ? { body_bytes: end - offset } : {};
    const answer = await uploads().append(meant.id, offset, body(), { policy, last, ...stated });
    if (!late && !breaks) assert.equal(answer.offset_bytes, end, `upload ${meant.number}: what came of a body does not count`);
    if (late && end < meant.size) assert.ok(answer.offset_bytes <= end, `upload ${meant.number}: a late byte was taken`);
    meant.acknowledged = Math.max(meant.acknowledged, answer.offset_bytes);
    if (answer.state === 'finished') meant.finished = true;
  }

  /** Its offset, which is never less than was acknowledged before the look began. */
  async function look(meant: Meant): Promise<number | undefined> {
    const { acknowledged } = meant;
    const seen = await uploads().status(meant.id, { settle: random(3) === 0 });
    if (seen === undefined) assert.ok(meant.ended, `upload ${meant.number} is gone, and nobody ended it`);
    else {
      assert.ok(
        seen.offset_bytes >= acknowledged,
        `upload ${meant.number} is at ${seen.offset_bytes}, and ${acknowledged} was acknowledged`,
      );
      assert.ok(seen.offset_bytes <= meant.size);
      meant.acknowledged = Math.max(meant.acknowledged, seen.offset_bytes);
      if (seen.state === 'finished') meant.finished = true;
    }
    return seen?.offset_bytes;
  }

  async function finish(meant: Meant): Promise<void> {
    await uploads().finish(meant.id);
    meant.finished = true;
  }

  async function end(meant: Meant): Promise<void> {
    meant.ended = true;
    if (random(2) === 0) await uploads().abandon(meant.id);
    else await age(meant.id);
  }

  async function step(): Promise<void> {
    const kind = random(12);
    if (all.length === 0 || kind === 0) return await begin();
    if (kind === 1) return void (await any(stores).operator.collect({ draftAgeSeconds: 3600 }));
    const meant = any(all.slice(-4));
    if (kind === 2) return await finish(meant);
    if (kind === 3 && random(3) === 0) return await end(meant);
    if (kind === 4) return void (await look(meant));
    return await append(meant);
  }

  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (let done = 0; done < steps && failures.length === 0; done++) {
    const task: Promise<void> = step()
      .catch((error: unknown) => {
        const ok = isArtifactstoreError(error) ? expected.includes(error.code) : /the connection broke/.test(String(error));
        if (!ok) failures.push(error);
      })
      .finally(() => running.delete(task));
    running.add(task);
    while (running.size > random(4)) await Promise.race(running);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  for (const meant of all) await check(meant);

  /** What became a file is what was meant, as far as it goes; what is open can be continued to its end. */
  async function check(meant: Meant): Promise<void> {
    const at = await look(meant);
    if (at === undefined && !meant.finished) return;
    if (at !== undefined && !meant.finished) {
      const rest = uploads().append(meant.id, at, once(pattern(meant.number, at, meant.size)), { last: true });
      if ((await rest).state !== 'finished') await finish(meant);
    }
    const file = await registry().files.find(record.id, meant.path);
    assert.ok(file !== undefined, `upload ${meant.number} is finished, and there is no file`);
    const opened = await registry().files.open({ file_id: file.id });
    const bytes = Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk)));
    assert.equal(Buffer.compare(bytes, pattern(meant.number, 0, bytes.length)), 0, `upload ${meant.number} has a wrong byte`);
    assert.ok(bytes.length >= meant.acknowledged || bytes.length === meant.size, `upload ${meant.number} has lost bytes`);
  }
}

const usualPiece = 10_000;

function pattern(number: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = (Math.imul(from + index, 31) + number * 7 + ((from + index) >> 8)) & 0x7f;
  return bytes;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function pause(turns: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, turns));
}
