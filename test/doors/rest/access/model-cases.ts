import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Grant, Principal, Role } from '../../../../src/kernel/access.ts';
import { administrator } from '../../../../src/kernel/access.ts';
import type { NewPackage, Registry } from '../../../../src/registry/REGISTRY.ts';
import { createRandom, type Random } from '../../../registry/random.ts';
import { type Door, openDoor } from '../open-door.ts';
import { createPrincipals } from './principals.ts';
import { type Asked, missing, type Needed, type Row, rows, type Subject, shared } from './routes.ts';

const producers = ['acme', 'acme-app', 'acme-app-2', 'beta', 'beta.lab', 'gamma'];

/** The whole rule: what a role gives, for producers whose name it is or fits. */
const rightsOfRole: Readonly<Record<Role, readonly Needed[]>> = {
  reader: ['read'],
  writer: ['read', 'write'],
  keeper: ['read', 'keep'],
  admin: ['read', 'write', 'keep', 'observe'],
  observer: ['read', 'observe'],
};
const fits = (glob: string) => new RegExp(`^${glob.replace(/[.]/g, '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`);
const may = ({ grants }: Principal, right: Needed, producer: string) =>
  grants.some(
    (grant) =>
      rightsOfRole[grant.role].includes(right) &&
      grant.producers.some((pattern) => ('exact' in pattern ? pattern.exact === producer : fits(pattern.glob).test(producer))),
  );

/** Random grants over packages of several producers: every route answers as the rule says. */
export function accessModelCases(
  name: string,
  seed: number,
  principals: number,
  environment?: () => Promise<Readonly<Record<string, string>>>,
): void {
  describe(`every route for random grants, ${name}, seed ${seed}`, () => {
    const random = createRandom(seed);
    const callers = createPrincipals();
    const everyone = callers.tokenOf(administrator('everyone'));
    let door: Door;
    let subjects: readonly Subject[];
    let operations: readonly string[];

    before(async () => {
      door = await openDoor({ identity: callers.identity, environment: (await environment?.()) ?? {} });
      subjects = await makePackages(door.registry);
      const document = (await (await fetch(`${door.url}/openapi.json`)).json()) as {
        readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
      };
      const described = Object.values(document.paths).flatMap((methods) => Object.values(methods));
      operations = [...new Set(described.flatMap(({ operationId }) => (operationId === undefined ? [] : [operationId])))];
    });
    after(() => door[Symbol.asyncDispose]());

    async function ask(token: string, { path, method = 'GET', body, headers = {} }: Asked): Promise<Response> {
      return await fetch(`${door.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    }

    it('has a row for each of them', () => {
      const known = Object.keys(rows).map((operation) => operation.replace(/^head/, ''));
      const plain = operations.map((operation) => operation.replace(/Head$/, ''));
      assert.deepEqual([...new Set(plain)].sort(), known.toSorted());
    });

    for (let index = 0; index < principals; index++) {
      const principal: Principal = { actor: 'who', share: `who ${index}`, grants: randomGrants(random) };
      it(JSON.stringify(principal.grants), async () => {
        const token = callers.tokenOf(principal);
        for (const row of shuffled(random, Object.values(rows))) {
          if (row.about === 'server') await aboutServer(token, principal, row);
          else if (row.about === 'upload') await aboutUploads(token, principal, row);
          else if (row.about === 'list') await aboutLists(token, principal, row);
          else
            for (const subject of [some(random, subjects, principal, true), some(random, subjects, principal, false)])
              if (subject !== undefined) await aboutOne(token, principal, row, subject);
        }
      });
    }

    async function aboutServer(token: string, principal: Principal, row: Row & { readonly about: 'server' }): Promise<void> {
      const response = await ask(token, row.ask());
      const expected = row.needs === undefined || may(principal, row.needs, producers[0]!) ? 200 : 403;
      assert.equal(response.status, expected, row.ask().path);
      await response.arrayBuffer();
    }

    async function aboutUploads(token: string, principal: Principal, row: Row & { readonly about: 'upload' }): Promise<void> {
      const asked = row.ask();
      const response = await ask(token, asked);
      // A right for a producer that has no package yet is one, too.
      const writes = [...producers, 'x'].some((producer) => may(principal, 'write', producer));
      assert.equal(response.status, row.status === 201 && !writes ? 403 : row.status, `${asked.method} ${asked.path}`);
      await response.arrayBuffer();
    }

    async function aboutLists(token: string, principal: Principal, row: Row & { readonly about: 'list' }): Promise<void> {
      const listed = async (who: string) =>
        [...new Set(row.namesIn((await (await ask(who, row.ask(subjects[0]!))).json()) as never))].sort();
      const readable = await Promise.all(
        (await listed(everyone)).map(async (name) => {
          const producer = row.of === 'packages' ? (await door.registry.packages.get(name))!.producer : name;
          return may(principal, row.of === 'producers to write to' ? 'write' : 'read', producer) ? [name] : [];
        }),
      );
      assert.deepEqual(await listed(token), readable.flat(), row.ask(subjects[0]!).path);
    }

    async function aboutOne(
      token: string,
      principal: Principal,
      row: Row & { readonly about: 'package' | 'producer' },
      subject: Subject,
    ): Promise<void> {
      const asked = row.ask(subject);
      const response = await ask(token, asked);
      const told = `${asked.method ?? 'GET'} ${asked.path} of ${subject.producer}: ${response.status}`;
      if (row.about === 'package' && !may(principal, 'read', subject.producer)) {
        await sameAsMissing(token, row, subject, response, told);
        if (asked.method === undefined) await conditionsTellNothing(token, asked, told);
        return;
      }
      const body = await response.text();
      const { willDo = (producer: string) => producer === subject.producer } = row;
      if (!producers.some((producer) => willDo(producer, subject) && may(principal, row.needs, producer))) {
        assert.equal(response.status, 403, told);
        const problem = JSON.parse(body) as { readonly code: string; readonly info?: { readonly right?: string } };
        assert.equal(problem.code, 'forbidden', told);
        assert.ok(problem.info?.right === row.needs || asked.path === '/metadata-schemas', told);
      } else {
        // What state it is in meanwhile is no matter of access.
        const gone = ['package_not_found', 'file_not_found', 'object_not_found'].some((code) => body.includes(`"code":"${code}"`));
        assert.ok(response.status < 500 && response.status !== 401 && response.status !== 403 && !gone, `${told} ${body.slice(0, 300)}`);
        if (asked.method === undefined) await headLikeGet(token, asked, response, told);
      }
    }

    /** Not one byte or header tells it from what nobody has. */
    async function sameAsMissing(
      token: string,
      row: Row & { readonly about: 'package' | 'producer' },
      subject: Subject,
      response: Response,
      told: string,
    ) {
      const nobodys: Subject = { ...subject, id: randomUUID(), fileId: randomUUID(), address: missing };
      const other = await ask(token, row.ask(nobodys));
      assert.equal(response.status, 404, told);
      const told1 = { headers: headersOf(response), body: withoutIds(await response.text(), subject) };
      assert.deepEqual(told1, { headers: headersOf(other), body: withoutIds(await other.text(), nobodys) }, told);
    }

    async function conditionsTellNothing(token: string, asked: Asked, told: string): Promise<void> {
      const full = await ask(everyone, asked);
      await full.arrayBuffer();
      const etag = full.headers.get('etag') ?? '"x"';
      for (const headers of [{ 'if-none-match': '*' }, { 'if-none-match': etag }, { 'if-match': etag }, { range: 'bytes=0-0' }]) {
        const response = await ask(token, { ...asked, headers });
        await response.arrayBuffer();
        assert.equal(response.status, 404, `${told} ${JSON.stringify(headers)}`);
        assert.equal(response.headers.get('etag'), null);
      }
      const head = await ask(token, { ...asked, method: 'HEAD' });
      assert.equal(head.status, 404, `${told} HEAD`);
    }

    async function headLikeGet(token: string, asked: Asked, response: Response, told: string): Promise<void> {
      const head = await ask(token, { ...asked, method: 'HEAD' });
      assert.equal(head.status, response.status, `${told} HEAD`);
      const etag = response.headers.get('etag');
      if (etag === null) return;
      const known = await ask(token, { ...asked, headers: { 'if-none-match': etag } });
      assert.equal(known.status, 304, `${told} If-None-Match`);
    }
  });
}

/**
 * Of each producer an open write session, a sealed package that will go, and two packages, one of them sealed and held,
 * with bytes of their own and bytes that all of them have.
 */
async function makePackages(registry: Registry): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  await registry.metadataSchemas.register({ slug: 'everybody', json_schema: { type: 'object' } });
  for (const producer of producers)
    await registry.writeSessions.open(
      {
        ...{ scope: 'access', producer, subject: 's', namespace: 'n', retention_class: 'transient', ttl_seconds: 3_600 },
        objects: [{ name: 'one', sha256: '0'.repeat(64), size_bytes: 1 }],
      },
      { idempotencyKey: 'listed' },
    );
  for (const producer of producers)
    for (const sealed of [true, false]) {
      const input = { name: 'n', producer, subject: 's', retention_class: 'raw-evidence' };
      if (sealed) await sealOne(registry, input);
      const { id } = (await registry.packages.create(input)).record;
      const add = async (relative_path: string, text: string) =>
        (await registry.files.add(id, { relative_path, body: bytes(text) })).record;
      await add('shared', shared);
      const own = await add('own', `own bytes of ${id}`);
      const hold = await registry.retention.hold(id, { reason: 'kept' });
      if (sealed) await registry.packages.finalize(id);
      const address = `sha256:${createHash('sha256').update(`own bytes of ${id}`).digest('hex')}`;
      subjects.push({ id, producer, fileId: own.id, holdId: hold.id, address });
    }
  return subjects;
}

async function sealOne(registry: Registry, input: NewPackage): Promise<void> {
  const { id } = (await registry.packages.create(input)).record;
  await registry.files.add(id, { relative_path: 'one', body: bytes(id) });
  await registry.packages.finalize(id);
}

async function* bytes(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

function randomGrants(random: Random): readonly Grant[] {
  const roles: readonly Role[] = ['reader', 'writer', 'keeper', 'writer', 'reader'];
  const globs = ['acme*', 'acme-app*', '*a', 'b*', '?eta', 'beta?lab', 'gamma', 'x*', '*'];
  if (random(10) === 0) return [{ role: 'admin', producers: [{ glob: '*' }] }];
  return Array.from({ length: random(4) }, () => ({
    role: roles[random(roles.length)]!,
    producers: Array.from({ length: 1 + random(2) }, () =>
      random(2) === 0 ? { exact: producers[random(producers.length)]! } : { glob: globs[random(globs.length)]! },
    ),
  }));
}

function some(random: Random, subjects: readonly Subject[], principal: Principal, readable: boolean): Subject | undefined {
  const found = subjects.filter(({ producer }) => may(principal, 'read', producer) === readable);
  return found[random(found.length)];
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: random(1 << 20) }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item);
}

function headersOf(response: Response): Readonly<Record<string, string>> {
  const { date: _date, 'x-request-id': _id, ...headers } = Object.fromEntries(response.headers);
  return headers;
}

function withoutIds(text: string, { id, fileId, address }: Subject): unknown {
  const plain = text.replaceAll(id, 'ID').replaceAll(fileId, 'FILE').replaceAll(address, 'ADDRESS');
  const { request_id: _id, ...problem } = JSON.parse(plain) as Readonly<Record<string, unknown>>;
  return problem;
}
