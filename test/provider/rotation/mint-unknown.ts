import { loadPair } from '../../../src/provider/rotation/authority.ts';
import { labelOf } from '../../../src/provider/rotation/run.ts';
import type { RotationPlace } from './rotation-place.ts';

/** What a run leaves that is killed between the answer to a creation and its record. */
export async function mintUnknown(place: RotationPlace, generation: number): Promise<string> {
  const provider = place.provider();
  const pair = await loadPair(place.secrets);
  const { id } = await provider.issuer!.mint(pair.tokens[0]!.value, {
    ...{ label: `${labelOf(generation, pair)}00000000-admin`, role: 'admin', scope: { bucket: 'artifacts', prefix: '' } },
    expiresAtMilliseconds: Date.now() + 3_600_000,
  });
  await provider.close();
  return id;
}
