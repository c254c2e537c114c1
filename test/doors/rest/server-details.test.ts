import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Identity } from '../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import type { Grant, Role } from '../../../src/kernel/access.ts';
import type { Health, Registry } from '../../../src/registry/REGISTRY.ts';
import { type Door, openDoor, token } from './open-door.ts';

const grant = (role: Role, glob: string): Grant => ({ role, producers: [{ glob }] });
const tokens: Readonly<Record<string, Grant>> = {
  'reader of some': grant('reader', 'p*'),
  'reader of all': grant('reader', '*'),
  'writer of all': grant('writer', '*'),
  'keeper of all': grant('keeper', '*'),
  'admin of some': grant('admin', 'p*'),
  'admin of all': grant('admin', '*'),
};

async function identityWith(anonymous: readonly Grant[]): Promise<Identity> {
  const ofServer = await openIdentity({ tokens: [{ token, actor: 'tester' }] });
  return {
    ...ofServer,
    anonymous,
    identify(shown) {
      const [name, own] = Object.entries(tokens).find(([each]) => shown === each.replaceAll(' ', '-')) ?? [];
      if (name === undefined || own === undefined) return ofServer.identify(shown);
      return { principal: { actor: name, share: name, grants: [own] }, by: 'token of the test', expiresAt: null };
    },
  };
}

/** There is no room: what is told of it differs, and the server is ready. */
const wrap = (registry: Registry): Registry => ({
  ...registry,
  async health() {
    const health = await registry.health();
    const backend = { ...health.backend, healthy: false, full: true as const, detail: 'the reason', free_bytes: 7 };
    return { ...health, status: 'degraded', backend, backends: [backend] };
  },
});

const closed = await openDoor({ identity: await identityWith([]), wrap });
const granted = await openDoor({ identity: await identityWith([grant('reader', 'p')]), wrap });
const open = await openDoor({ identity: await identityWith([]), anonymousRead: true, wrap });
after(() => Promise.all([closed, granted, open].map((door) => door[Symbol.asyncDispose]())));

interface Told {
  readonly details: boolean;
  readonly metrics: number;
  readonly usage: number;
}

async function toldTo(door: Door, shown?: string): Promise<Told> {
  const ask = (path: string) => fetch(door.url + path, shown === undefined ? {} : { headers: { authorization: `Bearer ${shown}` } });
  const { status, backend, backends } = (await (await ask('/health')).json()) as Health;
  const ready = (await (await ask('/readyz')).json()) as { readonly backend: string };
  const details = backend.detail === 'the reason';
  assert.equal(status, 'degraded');
  assert.deepEqual(
    [backends[0]?.detail, ready.backend, backend.free_bytes],
    details ? ['the reason', 'the reason', 7] : ['full', 'full', door === open || shown === undefined ? 7 : null],
  );
  return { details, metrics: (await ask('/metrics')).status, usage: (await ask('/usage')).status };
}

test('details, metrics and usage are for the right to see the server, and the state is for everybody', async () => {
  const all: Told = { details: true, metrics: 200, usage: 200 };
  const none: Told = { details: false, metrics: 403, usage: 403 };
  const stranger: Told = { details: false, metrics: 401, usage: 401 };
  assert.deepEqual(await toldTo(closed), stranger);
  assert.deepEqual(await toldTo(closed, token), all);
  for (const name of Object.keys(tokens))
    assert.deepEqual(await toldTo(closed, name.replaceAll(' ', '-')), name === 'admin of all' ? all : none, name);
  // What everybody may read does not make an observer of anybody.
  assert.deepEqual(await toldTo(granted), stranger);
  assert.deepEqual(await toldTo(granted, 'reader-of-some'), none);
});

test('where everybody may read, everybody is told how full the server is, and its details stay with tokens', async () => {
  assert.deepEqual(await toldTo(open), { details: false, metrics: 200, usage: 200 });
  assert.deepEqual(await toldTo(open, token), { details: true, metrics: 200, usage: 200 });
});
