import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { blake3, digestHex, toHex } from '../../../src/kernel/content/digest.ts';
import { pathFromUrl } from '../../../src/kernel/content/path.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';
import type { JsonObject } from '../../../src/kernel/format/json.ts';

export const token01 = 'token-of-0.1';

export interface Package01 {
  readonly id: string;
  record: JsonObject;
  manifest: Uint8Array;
  files: File01[];
  holds: JsonObject[];
}

export interface File01 {
  readonly id: string;
  readonly relative_path: string;
  /** What is sent, whatever the manifest says. */
  bytes: Uint8Array;
  readonly address: string;
}

export interface NewPackage01 {
  readonly name: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly more?: JsonObject;
  /** Over the members of each file in the manifest. */
  readonly fileMembers?: JsonObject;
  readonly provenance?: JsonObject;
}

/**
 * A stand-in for artifactstore 0.1, written from its contract: it answers the routes of section 8 that read, with their
 * members and no others, and nothing that later versions added. What the contract does not have is noted in `refused`:
 * another route, another method, another parameter, a token that is not its own.
 */
export interface Registry01 extends AsyncDisposable {
  readonly url: string;
  readonly registryId: string;
  readonly packages: Map<string, Package01>;
  readonly schemas: Map<string, JsonObject>;
  readonly refused: string[];
  readonly asked: string[];
  /** Before an answer: true where the request was answered here. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  seal(input: NewPackage01): Package01;
  event(type: string, packageId: string): void;
  stop(): Promise<void>;
}

export async function openRegistry01(): Promise<Registry01> {
  const registryId = randomUUID();
  const packages = new Map<string, Package01>();
  const schemas = new Map<string, JsonObject>();
  const events: JsonObject[] = [];
  const refused: string[] = [];
  const asked: string[] = [];

  const server: Server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked.push(`${request.method} ${request.url}`);
    if (await registry.intercept(request, response)) return;
    const url = new URL(request.url ?? '/', 'http://0.1');
    const refuse = (status: number, why: string): void => {
      if (status !== 404 || why !== '') refused.push(`${request.method} ${request.url}: ${status} ${why}`);
      problem(response, status, why);
    };
    if (request.headers.authorization !== `Bearer ${token01}`) return refuse(401, 'token');
    if (request.method !== 'GET') return refuse(405, 'method');
    const known = parameters.find(([pattern]) => pattern.test(url.pathname));
    if (known === undefined) return refuse(404, 'route');
    for (const name of url.searchParams.keys()) if (!known[1].includes(name)) return refuse(400, `parameter ${name}`);
    const [, first = '', second = '', third] = url.pathname.split('/');
    if (first === 'packages' && second === '') return list(url, response);
    if (first === 'packages') {
      const found = packages.get(second);
      if (found === undefined) return problem(response, 404, '');
      if (third === undefined) return json(response, found.record);
      if (third === 'retention') return json(response, { ...retentionOf(found) });
      if (request.headers.accept !== 'application/cbor') return refuse(406, 'accept');
      if (found.record.status !== 'finalized') return problem(response, 409, '');
      response.writeHead(200, { 'content-type': 'application/cbor' }).end(found.manifest);
      return;
    }
    if (first === 'metadata-schemas') {
      const schema = schemas.get(pathFromUrl(second));
      return schema === undefined ? problem(response, 404, '') : json(response, { slug: pathFromUrl(second), json_schema: schema });
    }
    if (first === 'events') return page(url, response);
    const file = [...packages.values()].flatMap(({ files }) => files).find(({ id }) => id === second);
    return file === undefined ? problem(response, 404, '') : download(request, response, file);
  }

  function list(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const producer = url.searchParams.get('producer');
    const all = [...packages.values()].map(({ record }) => record).filter((record) => producer === null || record.producer === producer);
    const items = all.reverse().slice(from, from + limit);
    json(response, { items, next_cursor: from + limit < all.length ? String(from + limit) : null });
  }

  function page(url: URL, response: ServerResponse): void {
    const since = Number(url.searchParams.get('since') ?? 0);
    const items = events.slice(since, since + Number(url.searchParams.get('limit') ?? 100));
    const send = (): void => {
      const late = events.slice(since, since + 100);
      const body = encodeCbor({ items: items.length > 0 ? items : late, last_sequence: events.length });
      response.writeHead(200, { 'content-type': 'application/cbor' }).end(body);
    };
    if (items.length > 0 || url.searchParams.get('wait') === '0') send();
    else setTimeout(send, 100);
  }

  const registry: Registry01 = {
    url: '',
    registryId,
    packages,
    schemas,
    refused,
    asked,
    intercept: () => false,
    seal({ name, files: contents, more = {}, fileMembers = {}, provenance = {} }) {
      const id = randomUUID();
      const files = Object.entries(contents).map(([relative_path, content]) => {
        const bytes = new Uint8Array(Buffer.from(content));
        return { id: randomUUID(), relative_path, bytes, address: `blake3:${digestHex('blake3', bytes)}` };
      });
      const total_bytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const described: JsonObject = {
        ...{
          id,
          name,
          producer: 'old',
          subject: name,
          retention_class: 'raw-evidence',
          metadata: { of: '0.1' },
          metadata_schema_slug: null,
        },
        ...{ created_at: '2026-01-01T00:00:00.000Z', created_by: 'token:0a1b2c3d' },
        ...more,
      };
      const manifest = encodeCbor({
        manifest_version: 1,
        package: described,
        files: files.map(({ id: file, relative_path, bytes, address }) => ({
          ...{ id: file, relative_path, media_type: 'text/plain', size_bytes: bytes.length, digest_algorithm: 'blake3' },
          ...{ digest_primary: address.slice(7), digest_sha256: digestHex('sha256', bytes), content_address: address, annotations: {} },
          ...fileMembers,
        })),
        storage_receipts: [],
        retention_summary: { retention_class: 'raw-evidence', expires_at: null },
        provenance: {
          finalized_at: '2026-01-01T00:00:01.000Z',
          finalized_by: 'token:0a1b2c3d',
          registry_id: registryId,
          software: '0.1',
          ...provenance,
        },
      });
      const record: JsonObject = {
        ...described,
        ...{ status: 'finalized', finalized_at: '2026-01-01T00:00:01.000Z', manifest_digest: `blake3:${toHex(blake3(manifest))}` },
        ...{ expires_at: '2026-04-01T00:00:00.000Z', file_count: files.length, total_bytes, ...more },
      };
      const made: Package01 = { id, record, manifest, files, holds: [] };
      packages.set(id, made);
      registry.event('v1.package.finalized', id);
      return made;
    },
    event: (event_type, subject_id) =>
      void events.push({ sequence: events.length + 1, event_type, subject_kind: 'package', subject_id, actor: 'a', payload: {} }),
    async stop() {
      server.closeAllConnections();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
    [Symbol.asyncDispose]: () => registry.stop(),
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object.assign(registry, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** The routes that read, each with its parameters. */
const parameters: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/packages$/, ['limit', 'cursor', 'producer', 'subject', 'retention_class', 'status']],
  [/^\/packages\/[^/]+(?:\/manifest|\/retention)?$/, []],
  [/^\/files\/[^/]+\/download$/, []],
  [/^\/metadata-schemas\/[^/]+$/, []],
  [/^\/events$/, ['since', 'limit', 'wait', 'subject_kind', 'subject_id', 'event_type']],
];

function retentionOf({ id, record, holds }: Package01): JsonObject {
  const { status = null, retention_class = null, expires_at = null } = record;
  return { package_id: id, status, retention_class, expires_at, holds, history: [] };
}

function download(request: IncomingMessage, response: ServerResponse, { bytes, address }: File01): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const named = { 'content-type': 'text/plain', etag: `"${address}"` };
  if (range === null) return void response.writeHead(200, { ...named, 'content-length': bytes.length }).end(bytes);
  const part = bytes.subarray(Number(range[1]), Number(range[2]) + 1);
  const stated = `bytes ${range[1]}-${range[2]}/${bytes.length}`;
  response.writeHead(206, { ...named, 'content-length': part.length, 'content-range': stated }).end(part);
}

function json(response: ServerResponse, value: JsonObject): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

const codes: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'package_not_found',
  409: 'package_not_finalized',
};

export function problem(response: ServerResponse, status: number, detail: string): void {
  const body = { title: 'No', status, detail: detail === '' ? 'There is none.' : detail, code: codes[status] ?? 'malformed_request' };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
