import { splitAddress } from '../kernel/content/address.ts';
import { toHex } from '../kernel/content/digest.ts';
import { isArtifactstoreError } from '../kernel/error.ts';
import { stoppable, throwIfStopped } from '../runtime/stop.ts';
import { blockBytes, type StoredObject, type Verdict } from './DATAPLANE.ts';
import { blocksOf } from './hashing/blocks.ts';
import { createDigester } from './hashing/digester.ts';
import type { Reads } from './held.ts';

/** See `DataPlane.check`. A backend that cannot be reached is an error, not a verdict. */
export async function checkObject(backend: Reads, object: StoredObject, signal: AbortSignal | undefined): Promise<Verdict> {
  throwIfStopped(signal);
  const reader = await backend.get(object.objectKey, signal === undefined ? {} : { signal });
  if (reader === undefined) return { result: 'missing', reason: 'the object is not in the store' };
  const { algorithm, hex } = splitAddress(object.contentAddress);
  const digester = createDigester(new Set([algorithm, 'sha256']));
  let size = 0;
  try {
    for await (const bytes of blocksOf(stoppable(reader.body, signal), blockBytes)) {
      digester.update(bytes);
      size += bytes.byteLength;
    }
  } catch (error) {
    if (isArtifactstoreError(error, 'integrity_failure')) return { result: 'failed', reason: error.message };
    throw error;
  }
  if (size !== object.sizeBytes) return { result: 'failed', reason: `the object is ${size} bytes long, not ${object.sizeBytes}` };
  const { digests } = digester.finish();
  for (const [name, expected] of [
    [algorithm, hex],
    ['sha256', object.digestSha256],
  ] as const) {
    const actual = toHex(digests.get(name)!);
    if (actual !== expected) return { result: 'failed', reason: `its ${name} digest is ${actual}` };
  }
  return { result: 'ok', ...(reader.held === undefined ? {} : { held: reader.held }) };
}
