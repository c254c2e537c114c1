import { Type } from '#typebox';
import { sendBytes } from '../../../http/send.ts';
import { varied } from '../../../http/vary.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { negotiate } from '../../../protocol/accept.ts';
import { ifNoneMatchHits } from '../../../protocol/conditional.ts';
import type { PackageQuery, Packages } from '../../../registry/REGISTRY.ts';
import { sendArchiveOf } from '../archive/of-files.ts';
import { sendArchive } from '../archive/of-package.ts';
import { checkIdempotencyKey } from '../idempotency-key.ts';
import { answers, filterText, manifestAddress, notModified, packageId, paging, queryTime } from '../parameters.ts';
import { finalizedRecord, packagePage, packageRecord } from '../records.ts';
import { finalizeExpectation, namedFiles, newPackage } from '../request-bodies.ts';
import type { Api, RouteContext } from '../route.ts';
import type { SealedManifests, SealedPackage } from '../sealed-manifests.ts';
import { sendPage } from '../send-page.ts';
import { maximumQueryLength } from '../validation.ts';

export function packageRoutes(api: Api, context: RouteContext, manifests: SealedManifests): void {
  api.post(
    '/packages',
    {
      config: { access: 'write', body: 'json', takes: ['Idempotency-Key'], gives: ['Location'] },
      schema: {
        operationId: 'createPackage',
        tags: ['packages'],
        summary: 'Open a package',
        description: 'With an Idempotency-Key, which is unique for each producer, the same body gives the same package again (200).',
        body: newPackage,
        response: answers({ 200: packageRecord, 201: packageRecord }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const options = key === undefined ? {} : { idempotencyKey: checkIdempotencyKey(key) };
      const { record, created } = await request.registry.packages.create(request.body, options);
      return reply
        .code(created ? 201 : 200)
        .header('location', `/packages/${record.id}`)
        .send(record);
    },
  );

  api.get(
    '/packages',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'listPackages',
        tags: ['packages'],
        summary: 'List packages, newest first',
        querystring: Type.Object(
          {
            ...paging,
            name: Type.Optional(filterText),
            producer: Type.Optional(filterText),
            subject: Type.Optional(filterText),
            retention_class: Type.Optional(filterText),
            status: Type.Optional(Type.Enum(['created', 'finalized', 'abandoned', 'garbage_collected'])),
            manifest_digest: Type.Optional(manifestAddress),
            created_after: Type.Optional(from),
            created_before: Type.Optional(until),
            finalized_after: Type.Optional(from),
            finalized_before: Type.Optional(until),
          },
          { patternProperties: { [metadataParameter]: Type.String({ maxLength: maximumQueryLength }) } },
        ),
        response: answers({ 200: packagePage }, 400),
      },
    },
    async (request, reply) => sendPage(context, request, reply, await request.registry.packages.encodedList(packageQuery(request.query))),
  );

  api.get(
    '/packages/:id',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getPackage',
        tags: ['packages'],
        summary: 'A package',
        params: packageId,
        response: answers({ 200: packageRecord }, 400, 404),
      },
    },
    async (request) => (await request.registry.packages.get(request.params.id)) ?? missing(),
  );

  api.delete(
    '/packages/:id',
    {
      config: { access: 'write' },
      schema: {
        operationId: 'abandonPackage',
        tags: ['packages'],
        summary: 'Abandon a package that is not sealed',
        params: packageId,
        response: answers({ 200: packageRecord }, 400, 404, 409, 410),
      },
    },
    async (request) => request.registry.packages.abandon(request.params.id),
  );

  api.post(
    '/packages/:id/finalize',
    {
      config: { access: 'write', body: 'json-or-empty' },
      schema: {
        operationId: 'finalizePackage',
        tags: ['packages'],
        summary: 'Seal a package',
        description: 'Twice gives the same answer. With a files_digest, only when the package holds exactly those files; else 412.',
        params: packageId,
        body: finalizeExpectation,
        response: answers({ 200: finalizedRecord }, 400, 404, 409, 410, 412, 422),
      },
    },
    async (request) => request.registry.packages.finalize(request.params.id, request.body),
  );

  for (const url of ['/packages/:id/manifest', '/packages/:id/manifest.json'] as const) {
    const onlyJson = url.endsWith('.json');
    api.get(
      url,
      {
        config: { access: 'read', takes: ['If-None-Match'], gives: ['ETag', 'Cache-Control'] },
        schema: {
          operationId: onlyJson ? 'getManifestJson' : 'getManifest',
          tags: ['packages'],
          summary: onlyJson ? 'The manifest as canonical JSON (RFC 8785)' : 'The manifest, canonical CBOR or JSON by Accept',
          produces: onlyJson ? ['application/json'] : ['application/cbor', 'application/json'],
          params: packageId,
          response: answers({ 200: Type.Unsafe<Uint8Array | string>({ description: 'The manifest.' }), 304: notModified }, 404, 406, 409),
        },
      },
      async (request, reply) => {
        const accept = onlyJson ? undefined : request.headers.accept;
        const type = negotiate(accept, onlyJson ? ['application/json'] : ['application/cbor', 'application/json']);
        if (type === undefined)
          throw new ArtifactstoreError('not_acceptable', 'A manifest is application/cbor or application/json.', { field: 'accept' });
        const record = await sealedPackage(request.registry.packages, request.params.id);
        // The JSON is another form of the same value: equivalent, not equal byte for byte.
        const etag = type === 'application/cbor' ? `"${record.manifest_digest}"` : `W/"${record.manifest_digest}"`;
        const headers = { etag, vary: varied(reply, 'accept'), 'cache-control': 'private, no-cache' };
        const known = request.headers['if-none-match'];
        if (known !== undefined && ifNoneMatchHits(known, etag)) return reply.code(304).headers(headers).send();
        const { bytes, walked } = await manifests.open(request, reply, record, async (manifest) => manifest);
        const whole = type === 'application/cbor' ? bytes : undefined;
        if (bytes.length <= longManifestBytes)
          return reply
            .headers(headers)
            .type(type)
            .send(whole ?? Buffer.from([...walked.json()].join('')));
        const length = whole === undefined ? {} : { length: whole.length };
        if (request.method === 'HEAD') {
          const stated = whole === undefined ? {} : { 'content-length': whole.length };
          reply.hijack();
          reply.raw.writeHead(200, { 'content-type': type, ...headers, ...stated, 'x-request-id': request.id }).end();
          return reply;
        }
        await sendBytes(context, request, reply, {
          status: 200,
          headers: { 'content-type': type, ...headers },
          body: whole === undefined ? asBytes(walked.json()) : slicesOf(whole),
          ...length,
        });
        return reply;
      },
    );
  }

  api.get(
    '/packages/:id/archive',
    {
      config: {
        access: 'read',
        takes: ['Range', 'If-Match', 'If-None-Match', 'If-Range'],
        gives: ['ETag', 'Accept-Ranges', 'Content-Disposition', 'Cache-Control'],
      },
      schema: {
        operationId: 'getArchive',
        tags: ['packages'],
        summary: 'The files as a tar archive, after manifest.json; the same bytes each time, with ranges',
        produces: ['application/x-tar'],
        params: packageId,
        response: answers({ 200: tarArchive, 206: tarArchive, 304: notModified }, 400, 404, 409, 410, 412, 416),
      },
    },
    async (request, reply) =>
      sendArchive(context, manifests, request, reply, await sealedPackage(request.registry.packages, request.params.id)),
  );

  api.post(
    '/packages/:id/archive',
    {
      config: { access: 'read', body: 'json', jsonBytes: context.limits.largeJsonBytes, gives: ['Content-Disposition', 'Cache-Control'] },
      schema: {
        operationId: 'getArchiveOfFiles',
        tags: ['packages'],
        summary: 'Some files of a sealed package as a tar archive, in the order of their paths in the request',
        description: 'Many small files in one answer, without manifest.json. A damaged file breaks the answer off.',
        produces: ['application/x-tar'],
        params: packageId,
        body: namedFiles,
        response: answers({ 200: tarArchive }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) =>
      sendArchiveOf(
        context,
        request,
        reply,
        await sealedPackage(request.registry.packages, request.params.id),
        request.body.relative_paths,
      ),
  );
}

const tarArchive = Type.Unsafe<Uint8Array>({ description: 'A tar archive (POSIX pax).' });
const from = queryTime('RFC 3339; from that time on.');
const until = queryTime('RFC 3339; earlier than that time.');

const metadataPrefix = 'metadata.';
const metadataParameter = '^metadata\\.';

function packageQuery(query: PackageQuery): PackageQuery {
  const metadata: [string, string][] = [];
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(query))
    if (name.startsWith(metadataPrefix)) metadata.push([name.slice(metadataPrefix.length), String(value)]);
    else others.push([name, value]);
  return { ...(Object.fromEntries(others) as PackageQuery), ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }) };
}

async function sealedPackage(packages: Packages, id: string): Promise<SealedPackage> {
  const record = await packages.get(id);
  if (record === undefined) throw new ArtifactstoreError('package_not_found', `There is no package ${id}.`, { field: 'package_id' });
  const { manifest_digest } = record;
  if (manifest_digest !== null) return { ...record, manifest_digest };
  // The registry refuses it. One that was sealed just now is read again.
  await packages.manifest(id);
  return await sealedPackage(packages, id);
}

function missing(): never {
  throw new ArtifactstoreError('package_not_found', 'There is no such package.');
}

/** A longer one goes out in pieces, no faster than it is read. */
const longManifestBytes = 262_144;

async function* asBytes(pieces: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function* slicesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += longManifestBytes) yield bytes.subarray(at, at + longManifestBytes);
}
