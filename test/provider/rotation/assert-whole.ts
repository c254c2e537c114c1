import assert from 'node:assert/strict';
import { documentNames, readGeneration } from '../../../src/provider/documents.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import type { KillPlace } from './iam-rotation-place.ts';

/** The generation is whole, current and good; nothing else that was minted is. */
export async function assertWhole(place: KillPlace, generation: number): Promise<void> {
  const status = await providerStatus(place.secrets);
  assert.equal(status.current, generation);
  assert.equal(status.unfinished, null);
  const stored = await place.secrets.get(documentNames.generation(generation));
  const read = readGeneration(stored!.value, generation);
  assert.ok(read !== 'ended');
  const provider = place.provider();
  for (const { accessKeyId, secretAccessKey } of Object.values(read.keys)) {
    const keys = { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
    const { checks } = await provider.prove(keys, { bucket: 'artifacts', prefix: '' }, { otherBucket: 'payroll' });
    assert.deepEqual([...new Set(checks.map(({ result }) => result))].sort(), ['holds', 'not_applicable']);
  }
  await provider.close();
  assert.deepEqual(
    [...place.api.minted()].sort(),
    Object.values(read.keys)
      .map(({ id }) => id)
      .sort(),
  );
  assert.deepEqual(place.store.objects('artifacts'), []);
  assert.deepEqual(place.store.objects('payroll'), []);
}
