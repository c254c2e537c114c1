import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { documentNames, readGeneration } from '../../../src/provider/documents.ts';
import type { ProviderKind } from '../../../src/provider/PROVIDER.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { finished } from '../../cli/workplace.ts';
import { type KillPlace, openIamRotationPlace } from './iam-rotation-place.ts';
import type { Told } from './rotate-until-killed.ts';
import { openRotationPlace } from './rotation-place.ts';

const script = fileURLToPath(new URL('./rotate-until-killed.ts', import.meta.url));

const places: readonly (readonly [ProviderKind, () => Promise<KillPlace>])[] = [
  ['cloudflare-r2', openRotationPlace],
  ['aws-iam', openIamRotationPlace],
];

for (const [kind, open] of places)
  describe(`a rotation (${kind}) in a process that is killed`, () => {
    test('is finished by the next, whatever it did last, and says no value', { timeout: 600_000 }, async () => {
      await using place = await open();
      await place.rotate();
      const values = new Set(place.tokens.map(({ value }) => value));
      const said: string[] = [];
      for (let count = 1; ; count += 1) {
        const told: Told = {
          kind,
          account: place.api.account,
          providerUrl: place.api.url,
          endpointUrl: place.store.url,
          secretsPath: place.storePath,
          count,
        };
        const { code, stdout, stderr } = await finished(
          spawn(process.execPath, [script, JSON.stringify(told)], { stdio: ['ignore', 'pipe', 'pipe'] }),
        );
        said.push(stdout, stderr);
        const { current, unfinished } = await providerStatus(place.secrets);
        const { generation } = await place.rotate();
        // What was minted and is kept nowhere is ended, and another generation made.
        const next = unfinished === null ? [(current ?? 0) + 1] : [unfinished, unfinished + 1];
        assert.ok(next.includes(generation), `killed after ${count}`);
        const status = await providerStatus(place.secrets);
        assert.deepEqual([status.current, status.unfinished], [generation, null], `killed after ${count}`);
        const stored = await place.secrets.get(documentNames.generation(generation));
        const read = readGeneration(stored!.value, generation);
        assert.ok(read !== 'ended');
        assert.deepEqual(
          [...place.api.minted()].sort(),
          Object.values(read.keys)
            .map(({ id }) => id)
            .sort(),
        );
        for (const { secretAccessKey } of Object.values(read.keys)) values.add(secretAccessKey.reveal());
        if (code === 0) {
          assert.ok(count > 15);
          break;
        }
        assert.equal(stderr, '');
      }
      const log = await place.secrets.get(documentNames.steps);
      const text = [...said, log!.value.reveal(), ...place.api.calls].join('\n');
      for (const value of values)
        for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64').slice(0, -2)])
          assert.equal(text.includes(form), false);
      // Nothing but the pair, the pointer, the steps and the generations; no draft is left.
      const names = readdirSync(join(place.storePath, 'provider'), { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        names.filter((name) => name.includes('.draft')),
        [],
      );
      // Of all generations but the last one no key is left in the store.
      const last = status(names);
      for (const name of names.filter((each) => /^generations\/\d+$/.test(each) && each !== last))
        assert.match(readFileSync(join(place.storePath, 'provider', name), 'utf8'), /"ended_at"/);
    });
  });

function status(names: readonly string[]): string {
  const numbers = names.flatMap((name) => /^generations\/(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return `generations/${Math.max(...numbers)}`;
}
