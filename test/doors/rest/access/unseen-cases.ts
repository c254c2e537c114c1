import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectRegistry } from '../../../../src/client/connect.ts';
import { pushDirectory } from '../../../../src/client/push/push-directory.ts';
import { administrator, type Principal, type Role } from '../../../../src/kernel/access.ts';
import { blake3, toHex } from '../../../../src/kernel/content/digest.ts';
import { canonicalJson, type JsonValue } from '../../../../src/kernel/format/json.ts';
import type { Registry } from '../../../../src/registry/REGISTRY.ts';
import { openDoor } from '../open-door.ts';
import { createPrincipals } from './principals.ts';

const texts = ['the same bytes', 'x'.repeat(70_000)];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What one principal is told, in order: status, headers and body, without what is never the same twice. */
export interface Told {
  readonly asked: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * All that a reader or writer of one producer can ask about bytes, in a registry in which another producer has the same
 * bytes before, between and after; or in which there is no other.
 */
export async function tell(role: Role, withOther: boolean, environment: Readonly<Record<string, string>> = {}): Promise<readonly Told[]> {
  const callers = createPrincipals();
  const principal: Principal = { actor: 'who', share: 'who', grants: [{ role, producers: [{ exact: 'mine' }] }] };
  const [token, owner] = [callers.tokenOf(principal), callers.tokenOf(administrator('owner'))];
  await using door = await openDoor({ identity: callers.identity, environment });
  const told: Told[] = [];
  const names = new Map<string, string>();

  const ask = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, who = token) => {
    const raw = typeof body === 'string';
    const response = await fetch(`${door.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${who}`, ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const text = bytes.toString('latin1');
    const { date: _date, 'x-request-id': _id, ...rest } = Object.fromEntries(response.headers);
    // Times in the heads of an archive have checksums; its length says enough. Sequences have more digits or less.
    const answer = path.endsWith('/archive') ? `${bytes.length} bytes` : plain(path === '/health' ? inOrder(text) : text, names);
    const shown = method === 'HEAD' || path.endsWith('/archive') ? rest : { ...rest, 'content-length': `of ${answer.length}` };
    if (who === token)
      told.push({
        asked: plain(`${method} ${path} ${JSON.stringify(headers)}`, names),
        status: response.status,
        headers: Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, plain(value, names)])),
        body: answer,
      });
    return text;
  };
  const record = (text: string) => JSON.parse(text) as { readonly id: string };

  const other = async (moment: string, sealed = true) => {
    if (withOther) await otherPackage(door.registry, moment, sealed);
  };
  /** Whoever may not write has it done by the owner. */
  const writes = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) =>
    ask(method, path, body, headers, role === 'writer' ? token : owner);

  const look = async (id: string) => {
    for (const text of texts) {
      for (const address of [`sha256:${sha256(text)}`, `blake3:${blake3Of(text)}`]) {
        await ask('GET', `/files?digest=${address}`);
        for (const headers of [
          {},
          { range: 'bytes=0-3' },
          { 'if-none-match': '*' },
          { 'if-none-match': `"${address}"` },
          { 'if-match': `"${address}"` },
        ])
          await ask('GET', `/objects/${address}`, undefined, headers);
        await ask('HEAD', `/objects/${address}`);
        await ask('POST', `/packages/${id}/files`, {
          items: [
            { relative_path: `attached ${address}`, content_address: address, size_bytes: Buffer.byteLength(text) },
            { relative_path: `wrong ${address}`, content_address: `sha256:${sha256(`${text}!`)}`, size_bytes: 3 },
          ],
        });
        await ask('POST', `/packages/${id}/files`, { items: [{ relative_path: 'long', content_address: address, size_bytes: 9 }] });
      }
    }
    for (const path of ['', '/files', '/retention', '/manifest.json', '/archive']) await ask('GET', `/packages/${id}${path}`);
    await ask('GET', '/health');
    await ask('GET', '/events?limit=500', undefined, { accept: 'application/json' });
    for (const query of ['', '?status=finalized', '?metadata.build=7', '?producer=theirs', '?limit=1'])
      await ask('GET', `/packages${query}`);
  };

  /** What a push says of how much of it was here already. */
  const push = async () => {
    if (role !== 'writer') return;
    await using registry = connectRegistry({ url: door.url, token });
    const directory = await mkdtemp(join(door.store.directory, 'tree-'));
    for (const [index, text] of texts.entries()) await writeFile(join(directory, `${index}`), text);
    const { file_count, total_bytes, uploaded_bytes } = await pushDirectory(registry, directory, { ...input, name: 'pushed' });
    told.push({ asked: 'push', status: 0, headers: {}, body: JSON.stringify({ file_count, total_bytes, uploaded_bytes }) });
  };

  const input = { name: 'n', producer: 'mine', subject: 's', retention_class: 'raw-evidence', metadata: { build: 7 } };
  await other('before');
  await push();
  const { id } = record(await writes('POST', '/packages', input, { 'idempotency-key': 'key' }));
  await other('before the bytes are here', false);
  await look(id);
  for (const [index, text] of texts.entries()) {
    const digest = { 'repr-digest': `sha-256=:${Buffer.from(sha256(text), 'hex').toString('base64')}:`, 'content-type': 'text/plain' };
    await writes('PUT', `/packages/${id}/files/${index}`, text, { ...digest, 'if-none-match': '*' });
    await writes('PUT', `/packages/${id}/files/${index}`, text, digest);
    await writes('PUT', `/packages/${id}/files/${index}`, `${text} other`, { 'content-type': 'text/plain' });
  }
  await other('after the bytes are here');
  await writes('POST', '/packages', input, { 'idempotency-key': 'key' });
  await writes('POST', `/packages/${id}/finalize`);
  await push();
  await other('after the seal');
  await look(id);
  return told;
}

async function otherPackage(registry: Registry, moment: string, sealed: boolean): Promise<void> {
  const metadata = { build: 7 };
  const input = { name: moment, producer: 'theirs', subject: 's', retention_class: 'raw-evidence', metadata };
  const { id } = (await registry.packages.create(input, { idempotencyKey: moment === 'before' ? 'key' : moment })).record;
  for (const [index, text] of texts.entries())
    await registry.files.add(id, {
      relative_path: `${index}`,
      body: (async function* () {
        yield Buffer.from(text);
      })(),
    });
  if (sealed) await registry.packages.finalize(id);
  if (sealed) await registry.retention.hold(id, { reason: moment });
}

/** Whether the room was measured yet changes the order of the members. */
const inOrder = (text: string) => canonicalJson(JSON.parse(text) as JsonValue);
const blake3Of = (text: string) => toHex(blake3(Buffer.from(text)));
const known = new Set(texts.flatMap((text) => [sha256(text), blake3Of(text)]));

/** Ids by the order in which they come up, times and sequences as such, digests of what has ids in it. */
function plain(text: string, names: Map<string, string>): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      const name = names.get(id) ?? `id ${names.size}`;
      names.set(id, name);
      return name;
    })
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replaceAll(/"next_cursor":"[^"]*"/g, '"next_cursor":"C"')
    .replaceAll(/"request_id":"[^"]*"/g, '"request_id":"R"')
    .replaceAll(/"(?:last_sequence|sequence|next_since)":\d+/g, '"sequence":N')
    .replaceAll(/[0-9a-f]{64}/g, (hex) => (known.has(hex) ? hex : `digest`));
}
