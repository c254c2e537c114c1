import assert from 'node:assert/strict';
import { administrator } from '../../src/kernel/access.ts';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { blake3 } from '../../src/kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';
import { settleHeld } from '../../src/registry/objects/settler.ts';
import { everything } from './held-world.ts';
import { createInterleaver, seeded } from './interleaver.ts';
import { type Doomed, gatedParts, onIncident, type Parts, registryOf, type World } from './key-rule-world.ts';

/** That paths were taken: a few times, or what they lead to was never seen. */
export interface Taken {
  /** Ingests that had to be told to come again. */
  overtaken: number;
  /** Objects that a settler was done with. */
  settled: number;
}

/**
 * Several ingests of the same bytes, some of which commit them with the log, packages that are given up, two
 * collections, two settlers that may stop anywhere, failures, and deletes that come late and twice, in any order of the
 * real steps. The rule: while an object is live its bytes are held or at its key in the store, and no delete that is
 * still to come can hit it.
 */
export async function live(world: World, seed: number, taken: Taken = { overtaken: 0, settled: 0 }): Promise<void> {
  const random = seeded(seed);
  const interleaver = createInterleaver(random);
  const doomed: Doomed = new Set();
  const parts = gatedParts(world, interleaver, doomed);
  const registry = registryOf(parts);
  const holding = registryOf(parts, true).as(administrator('producer'));
  const bytes = Buffer.from(`the same bytes ${seed}`);
  const content_address = formatAddress('blake3', blake3(bytes));
  const producer = registry.as(administrator('producer'));
  const kept: { readonly package_id: string; readonly relative_path: string }[] = [];

  for (let ingest = 0; ingest < 3; ingest++)
    interleaver.start(async () => {
      for (let time = 0; time < 2; time++) {
        const { record } = await producer.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
        async function* body() {
          yield bytes;
        }
        // Bytes of a declared digest go straight to their key; overtaken there, they are to be sent again.
        const digests = random() < 0.5 ? { digests: new Map([['blake3', blake3(bytes)]]) } : {};
        const { files } = random() < 0.4 ? holding : producer;
        const added = await files.add(record.id, { relative_path: 'f', body: body(), ...digests }).catch((error: unknown) => {
          if (!isArtifactstoreError(error, 'storage_unavailable')) throw error;
          taken.overtaken += 1;
        });
        if (added === undefined) continue;
        if (random() < 0.6) await producer.packages.abandon(record.id);
        else kept.push({ package_id: record.id, relative_path: 'f' });
      }
    });
  for (let collection = 0; collection < 2; collection++)
    interleaver.start(async () => {
      for (let time = 0; time < 3; time++) await registry.operator.collect();
    });
  for (let settler = 0; settler < 2; settler++)
    interleaver.start(async () => {
      for (let time = 0; time < 4; time++)
        try {
          const names = await parts.database.read('held.list', everything);
          taken.settled += (await settleHeld(mortal(world.forgetsEarly ? forgetting(parts) : parts, random), names)).length;
        } catch (error) {
          if (!isArtifactstoreError(error, 'cancelled')) throw error;
        }
    });
  for (let failure = 0; failure < 2; failure++)
    interleaver.start(async () => {
      const generation = failure + Math.floor(random() * 2);
      await interleaver.gate(`fail ${generation}`, () =>
        world.database.write('object.fail', {
          actor: 'reader',
          backend_id: 'memory',
          content_address,
          generation,
          reason: 'a bit flipped',
        }),
      );
    });

  await interleaver.run(async () => {
    for (const key of doomed) if (random() < 0.1) await world.storage.delete(key);
    const held = world.held();
    const how = `after:\n  ${interleaver.trace.join('\n  ')}`;
    const objects = world.objects();
    for (const key of held)
      assert.ok(
        objects.some(({ object_key }) => object_key === key),
        `seed ${seed}: ${key} is held and not live, ${how}`,
      );
    for (const object of objects) {
      if (object.state !== 'live') continue;
      const where = `seed ${seed}: ${object.object_key} is live and`;
      const there = held.has(object.object_key) || (await world.storage.head(object.object_key)) !== undefined;
      assert.ok(there, `${where} not in the store, ${how}`);
      assert.ok(!doomed.has(object.object_key), `${where} a delete is still to come, ${how}`);
    }
  });

  // With everybody done, one more collection leaves what the log says is there and nothing else, and all that was kept
  // can be read.
  await registry.settle();
  const free = registryOf({ ...world, onIncident });
  const { backends } = await free.operator.collect();
  assert.equal(backends[0]!.stored_objects, backends[0]!.live_objects);
  const failed = world.objects().some((object) => object.content_address === content_address && object.state === 'failed');
  for (const target of kept) {
    const opened = await free
      .as(administrator('reader'))
      .files.open(target)
      .catch((error: unknown) => {
        if (failed && isArtifactstoreError(error, 'integrity_failure')) return undefined;
        throw error;
      });
    for await (const chunk of opened?.body ?? []) assert.deepEqual(Buffer.from(chunk), bytes);
  }
}

/** For a settler that may stop before its put, or after it. */
function mortal(parts: Parts, random: () => number): Parts {
  const dying = async <R>(live: () => Promise<R>): Promise<R> => {
    if (random() < 0.2) throw new ArtifactstoreError('cancelled', 'it stopped');
    return await live();
  };
  const { database, dataplane } = parts;
  return {
    ...parts,
    database: {
      ...database,
      write: (name, input) => (name === 'held.settle' ? dying(() => database.write(name, input)) : database.write(name, input)),
    },
    dataplane: { ...dataplane, settle: (...input) => dying(() => dataplane.settle(...input)) },
  };
}

/** For a settler that forgets what it has not put yet. */
function forgetting({ database, dataplane, onIncident }: Parts): Parts {
  return {
    database,
    onIncident,
    dataplane: {
      ...dataplane,
      async settle(backend_id, object_key, bytes) {
        await database.write('held.settle', { actor: 'settler', items: [{ backend_id, object_key }] });
        await dataplane.settle(backend_id, object_key, bytes);
      },
    },
  };
}
