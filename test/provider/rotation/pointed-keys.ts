import assert from 'node:assert/strict';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, readGeneration } from '../../../src/provider/documents.ts';
import type { Provider } from '../../../src/provider/PROVIDER.ts';
import { revokeGeneration } from '../../../src/provider/rotation/revoke.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { withoutPatience } from '../without-patience.ts';
import { assertWhole } from './assert-whole.ts';
import { inTurns, type Outcome } from './in-turns.ts';
import type { RotationPlace } from './rotation-place.ts';

/** Whoever reads the pointer now gets whole keys that were not ended. */
export async function assertPointedKeysAreGood({ secrets, api }: Pick<RotationPlace, 'secrets' | 'api'>): Promise<void> {
  const pointer = await secrets.get(documentNames.current);
  const { generation } = JSON.parse(pointer!.value.reveal()) as { generation: number };
  const stored = await secrets.get(documentNames.generation(generation));
  const read = readGeneration(stored!.value, generation);
  assert.ok(read !== 'ended', `the pointer names generation ${generation}, which was ended`);
  const minted = api.minted();
  for (const { id } of Object.values(read.keys))
    assert.ok(minted.includes(id), `the pointer names generation ${generation}: ${id} is ended`);
}

/** No document has keys that were ended. Of a run whose log somebody else continued, the log may have them. */
export async function assertNoEndedKeysKept({ secrets, api }: Pick<RotationPlace, 'secrets' | 'api'>): Promise<void> {
  const minted = api.minted();
  for (const { generation, state, ids } of (await providerStatus(secrets)).generations)
    assert.ok(
      state === 'unfinished' || ids.every((id) => minted.includes(id)),
      `generation ${generation} is ${state}, and keys of it are ended`,
    );
}

export interface Meeting {
  readonly acts: 'changes' | 'all';
  readonly rotations: readonly string[];
  /** Each ends the generation of this number. */
  readonly revocations: Readonly<Record<string, number>>;
}

/**
 * Lets rotations, and revocations of what they make, meet where there is a current generation, and looks after each act
 * at what servers would get. The next rotation then leaves one good generation, and no other key. Answers who moved
 * when, and what came of each.
 */
export async function meet(
  place: RotationPlace,
  { acts, rotations, revocations }: Meeting,
  pick: (waiting: readonly string[], moves: readonly string[]) => string,
): Promise<{ readonly moves: readonly string[]; readonly outcomes: ReadonlyMap<string, Outcome>; readonly generation: number }> {
  const turns = inTurns(acts);
  const moves: string[] = [];
  await using stack = new AsyncDisposableStack();
  const providerOf = (): Provider => stack.adopt(place.provider(), (provider) => provider.close());
  for (const name of rotations) {
    const provider = providerOf();
    turns.start(name, (seen) => rotate(place.request({ provider: seen.provider(provider), secrets: seen.secrets(place.secrets) })));
  }
  for (const [name, generation] of Object.entries(revocations)) {
    const provider = providerOf();
    turns.start(name, (seen) =>
      revokeGeneration({
        provider: seen.provider(provider),
        secrets: seen.secrets(place.secrets),
        ...{ generation, evenCurrent: false, patience: withoutPatience(), now: Date.now },
      }),
    );
  }
  try {
    const outcomes = await turns.run(
      (waiting) => {
        const name = pick(waiting, moves);
        moves.push(name);
        return name;
      },
      () => assertPointedKeysAreGood(place),
    );
    for (const [name, outcome] of outcomes)
      if ('error' in outcome) assert.ok(isArtifactstoreError(outcome.error), `${name}: ${String(outcome.error)}`);
    await assertNoEndedKeysKept(place);
    const { generation } = await place.rotate();
    await assertWhole(place, generation);
    return { moves, outcomes, generation };
  } catch (error) {
    throw new Error(`after ${moves.join(' ')}`, { cause: error });
  }
}
