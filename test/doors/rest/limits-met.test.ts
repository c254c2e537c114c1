import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { bounds, type LimitName, limitNames } from '../../../src/doors/rest/bounds.ts';
import { problems } from '../../../src/doors/rest/problem.ts';
import { limits } from '../../../src/registry/limits.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { authorization, type Door, drain, openDoor, until } from './open-door.ts';

const smaller = {
  files_per_request: 2,
  header_bytes: 8_192,
  headers_timeout: 0.3,
  idle_timeout: 0.8,
  json_timeout: 0.8,
  write_session_objects: 2,
  write_session_bytes: 100,
  write_session_time: 100,
  open_write_sessions: 1,
} as const satisfies Partial<Record<LimitName, number>>;

let door: Door;
let id: string;
before(async () => {
  door = await openDoor({
    environment: {
      ARTIFACTSTORE_WRITE_SESSION_OBJECTS: '2',
      ARTIFACTSTORE_WRITE_SESSION_BYTES: '100',
      ARTIFACTSTORE_WRITE_SESSION_TTL_SECONDS: '100',
      ARTIFACTSTORE_WRITE_SESSIONS_OPEN: '1',
    },
    limits: {
      filesPerRequest: 2,
      headerBytes: 8_192,
      headersTimeout: 300,
      headersCheckInterval: 50,
      idleTimeout: 800,
      jsonTimeout: 800,
    },
    wrap: (registry): Registry => ({
      ...registry,
      usage: async () => ({ ...(await registry.usage()), producers_left_out: 1 }),
    }),
  });
  id = (await door.newPackage()).id;
});
after(async () => await door[Symbol.asyncDispose]());

const counted = async (limit: string): Promise<number> =>
  Number(
    new RegExp(`^artifactstore_http_limits_total\\{limit="${limit}"\\} (\\d+)$`, 'm').exec(await door.door.metrics.render())?.[1] ?? 'NaN',
  );

const x = (length: number): string => 'x'.repeat(length);
const list = (length: number): number[] => Array.from({ length }, (_, index) => index);
const members = (count: number): object => Object.fromEntries(list(count).map((index) => [`k${index}`, index]));
const about = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const address = `sha256:${'0'.repeat(64)}`;

/** A request by hand, with what follows its head, bit by bit; the answer, which is a problem. */
async function byHand(head: string, ...pieces: readonly string[]): Promise<string> {
  const socket = await door.connect();
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString())).on('error', () => undefined);
  const isAnswered = () => /\r\n\r\n.*\}$/s.test(heard);
  socket.write(head);
  for (const piece of pieces) {
    if (isAnswered()) break;
    socket.write(piece);
    await sleep(50);
  }
  await until(isAnswered);
  socket.destroy();
  return heard;
}

const headOf = (method: string, path: string, fields: string): string =>
  `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${authorization}\r\n${fields}\r\n`;
const json = 'content-type: application/json\r\n';

async function multipart(...files: readonly (readonly [head: string, text: string])[]): Promise<Response> {
  const body = `${files.map(([head, text]) => `--b\r\n${head}\r\n\r\n${text}\r\n`).join('')}--b--\r\n`;
  return await door.call(`/packages/${id}/files`, { method: 'POST', body, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
}
const part = (name: string): readonly [string, string] => [`content-disposition: form-data; name="f"; filename="${name}"`, name];

async function tar(): Promise<Response> {
  const writer = pack();
  writer.entry({ name: 'a', mtime: new Date(0), pax: { comment: x(70_000) } }, 'a');
  writer.finalize();
  const body = Buffer.concat(await Array.fromAsync(writer, (chunk) => chunk as Buffer));
  return await door.call(`/packages/${id}/files`, { method: 'POST', body, headers: { 'content-type': 'application/x-tar' } });
}

const put = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  door.call(`/packages/${id}/files/${path}`, { method: 'PUT', body: 'a', headers });
const annotated = (text: string): Promise<Response> => put('annotated', { 'artifactstore-annotations': text });

async function session(extra: object, key: string): Promise<Response> {
  const objects = [{ name: 'a', sha256: '0'.repeat(64), size_bytes: 1 }];
  const body = {
    scope: 's',
    producer: 'p',
    subject: 'u',
    namespace: 'n',
    retention_class: 'transient',
    ttl_seconds: 60,
    objects,
    ...extra,
  };
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return await door.call('/write-sessions', { method: 'POST', body: JSON.stringify(body), headers });
}

async function fullPackage(): Promise<Response> {
  const full = await door.newPackage();
  assert.equal(door.store.config.database.kind, 'sqlite');
  using file = new DatabaseSync((door.store.config.database as { readonly path: string }).path);
  file.exec('pragma busy_timeout = 10000');
  file.prepare('update artifact_packages set file_count = ? where id = ?').run(bounds.files_of_package.value, full.id);
  return await door.call(`/packages/${full.id}/files/one-more`, { method: 'PUT', body: 'a' });
}

const beyond: Partial<Record<LimitName, () => Promise<Response | string>>> = {
  header_bytes: () => byHand(headOf('GET', '/packages', `long: ${x(9_000)}\r\n`)),
  headers_timeout: () => byHand('GET /packages HTTP/1.1\r\nhost: x\r\n'),
  idle_timeout: () => byHand(headOf('PUT', `/packages/${id}/files/idle`, 'content-length: 10\r\n'), 'half'),
  json_timeout: () => byHand(headOf('POST', '/packages', `${json}content-length: 100\r\n`), ...list(40).map(() => ' ')),
  json_bytes: () => byHand(headOf('POST', '/packages', `${json}content-length: 1048577\r\n`)),
  large_json_bytes: () => byHand(headOf('POST', '/metadata-schemas', `${json}content-length: 4194305\r\n`)),
  json_values: () => door.json('/packages', { ...about, metadata: { a: list(100_001) } }),
  json_depth: () => door.json('/packages', `{"metadata":${'['.repeat(65)}${']'.repeat(65)}}`),
  files_per_request: () => multipart(part('1'), part('2'), part('3')),
  part_head_bytes: () => multipart([`${part('a')[0]}\r\nlong: ${x(9_000)}`, 'a']),
  tar_header_bytes: tar,
  text_characters: () => door.json('/packages', { ...about, name: x(257) }),
  slug_characters: () => door.json('/metadata-schemas', { slug: x(129), json_schema: {} }),
  reason_characters: () => door.json(`/packages/${id}/retention/holds`, { reason: x(1_025) }),
  media_type_characters: () => put('typed', { 'content-type': `text/${x(300)}` }),
  path_bytes: () => put(x(1_025)),
  annotations: () =>
    annotated(
      list(65)
        .map((index) => `k${index}="a"`)
        .join(', '),
    ),
  annotation_key_characters: () => annotated(`${x(129)}="a"`),
  annotation_characters: () => annotated(`a="${x(1_025)}"`),
  metadata_members: () => door.json('/packages', { ...about, metadata: members(1_001) }),
  metadata_values: () => door.json('/packages', { ...about, metadata: { a: list(20_001) } }),
  files_of_package: fullPackage,
  attachments: () =>
    door.json(`/packages/${id}/files`, {
      items: list(1_001).map((index) => ({ relative_path: `a/${index}`, content_address: address, size_bytes: 1 })),
    }),
  named_files: () => door.json(`/packages/${id}/archive`, { relative_paths: list(501).map(String) }),
  metadata_filters: () =>
    door.call(
      `/packages?${list(33)
        .map((index) => `metadata.k${index}=1`)
        .join('&')}`,
    ),
  page_items: () => door.call('/packages?limit=1001'),
  event_page_items: () => door.call('/events?limit=501'),
  event_wait: () => door.call('/events?wait=61'),
  open_upload_bytes: () => door.json('/uploads', { expected_size_bytes: limits.openUploadBytes + 1 }),
  write_session_objects: () =>
    session({ objects: list(3).map((index) => ({ name: `${index}`, sha256: '0'.repeat(64), size_bytes: 1 })) }, 'many'),
  write_session_bytes: () => session({ objects: [{ name: 'a', sha256: '0'.repeat(64), size_bytes: 101 }] }, 'large'),
  write_session_time: () => session({ ttl_seconds: 101 }, 'long'),
  open_write_sessions: async () => {
    assert.equal((await session({}, 'one')).status, 201);
    return await session({}, 'two');
  },
  schema_characters: () => door.json('/metadata-schemas', { slug: 'long', json_schema: { description: x(1_048_577) } }),
  parameter_characters: () => door.call(`/files?digest=${x(1_025)}`),
  cursor_characters: () => door.call(`/packages?cursor=${x(2_049)}`),
  idempotency_key_characters: () => session({}, x(256)),
  file_name_characters: () => door.call(`/objects/${address}/${x(256)}`),
};

for (const [name, ask] of Object.entries(beyond) as [LimitName, () => Promise<Response | string>][])
  test(`beyond ${name} a request is refused with its name, its value and what changes it, and is counted`, async () => {
    const answer = await ask();
    const text = typeof answer === 'string' ? answer : await answer.text();
    const status = typeof answer === 'string' ? Number(answer.slice(9, 12)) : answer.status;
    const problem = JSON.parse(text.slice(text.indexOf('{'))) as { readonly code: string; readonly info?: Record<string, unknown> };
    const { answer: code, value, variable } = bounds[name];
    assert.deepEqual([problem.code, status], [code, problems[code as keyof typeof problems][0]], text.slice(0, 600));
    const { bound, limit, variable: told } = problem.info ?? {};
    assert.deepEqual([bound, limit, told], [name, (smaller as Partial<Record<LimitName, number>>)[name] ?? value, variable]);
    assert.equal(await counted(name), 1);
  });

test('an answer that has less than there is counts that', async () => {
  const large = await openDoor();
  await using _ = large;
  const metadata = { text: x(900_000) };
  for (let made = 0; made < 3; made++) await large.registry.packages.create({ ...about, metadata });
  const held = (await large.newPackage()).id;
  await Promise.all(list(limits.retentionEntries + 1).map(() => large.registry.retention.hold(held, { reason: 'r' })));
  assert.equal((await large.call('/packages')).status, 200);
  const { holds, history } = (await (await large.call(`/packages/${held}/retention`)).json()) as Record<string, unknown[]>;
  assert.deepEqual([holds?.length, history?.length], [limits.retentionEntries, limits.retentionEntries]);
  assert.equal((await door.call('/usage')).status, 200);
  const text = await large.door.metrics.render();
  for (const name of ['page_bytes', 'retention_entries']) assert.match(text, new RegExp(`limits_total\\{limit="${name}"\\} 1$`, 'm'));
  assert.equal(await counted('usage_producers'), 1);
});

test('a request that is cut off when the server stops is counted', async () => {
  const stopping = await openDoor({ limits: { graceTimeout: 50 } });
  const path = `/packages/${(await stopping.newPackage()).id}/files/never`;
  await until(async () => /in_flight 0$/m.test(await stopping.door.metrics.render()));
  const socket = await stopping.connect();
  const ended = drain(socket);
  socket.write(headOf('PUT', path, 'content-length: 10\r\n'));
  await until(async () => /in_flight 1$/m.test(await stopping.door.metrics.render()));
  await stopping.door.close();
  await ended;
  assert.match(await stopping.door.metrics.render(), /limits_total\{limit="grace_timeout"\} 1$/m);
  await stopping.store.close();
});

/** What takes more than a request, and where it is met. */
const elsewhere: Partial<Record<LimitName, string>> = {
  connections: 'http/admission',
  requests_of_one: 'doors/rest/shares',
  streams_of_one: 'doors/rest/shares',
  waiting_requests: 'http/turns',
  buffered_bytes: 'doors/rest/shares',
  manifest_bytes: 'doors/rest/archive/tar-files',
  manifests_bytes: 'http/memory',
  upload_bytes_per_second: 'doors/rest/server',
  unread_answer: 'http/unread-answers',
  unsent_bytes: 'http/unread-answers',
  sealed_manifest_bytes: 'registry/operations/manifest-room',
  events_looked_at: 'registry/events',
  repeated_bytes: 'doors/rest/routes/files',
  waiting_of_one: 'runtime/fair-turns',
  console_sessions: 'doors/console/sessions',
  open_uploads: 'registry/uploads/sweep',
  upload_segments: 'registry/uploads/pieces',
  metadata_characters: 'registry/metadata/validation',
  schema_time: 'registry/metadata/validation',
  schema_memory: 'registry/metadata/validation',
  schema_code: 'registry/metadata/validation',
  schema_waiting: 'registry/metadata/validation',
};

test('every limit is met in some test', () => {
  const here = new Set<string>([...Object.keys(beyond), 'page_bytes', 'retention_entries', 'usage_producers', 'grace_timeout']);
  for (const name of limitNames) {
    const file = elsewhere[name];
    if (file === undefined) assert.ok(here.has(name), name);
    else {
      const paths = ['test', 'heavy'].map((kind) => new URL(`../../${file}.${kind}.ts`, import.meta.url));
      const text = paths.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : '')).join('');
      const member = name.replaceAll(/_(.)/g, (_all, first: string) => first.toUpperCase());
      assert.ok(text.includes(name) || text.includes(member), name);
    }
  }
});
