import { type TString, type TUnsafe, Type } from '#typebox';
import type { JsonObject } from '../../kernel/format/json.ts';
import { mediaTypePattern, reasonPattern, slugPattern, textPattern } from '../../kernel/format/text-rules.ts';
import { limits } from '../../registry/limits.ts';
import type { Attachment, FinalizeExpectation, NewExtension, NewPackage, NewWriteSession } from '../../registry/REGISTRY.ts';
import { describes } from './openapi/describes.ts';
import { address, id, jsonObject, path, sha256OfHello, stringMap } from './record-members.ts';
import { refusedAs } from './validation.ts';

/** The bodies of requests as JSON Schema: what they are checked against, and what the OpenAPI shows. */

const shortText = (example: string): TString =>
  Type.String({
    minLength: 1,
    maxLength: limits.textLength,
    pattern: textPattern,
    description: 'No control characters.',
    examples: [example],
  });
export const reason: TString = Type.String({
  minLength: 1,
  maxLength: limits.reasonLength,
  pattern: reasonPattern,
  description: 'Not blank; no control characters but tabs and newlines.',
  examples: ['the release of May is audited'],
});
const mediaType = Type.String({ maxLength: limits.mediaTypeLength, pattern: mediaTypePattern, examples: ['text/plain'] });

const strict = { additionalProperties: false } as const;

export const newPackage: TUnsafe<NewPackage> = describes<NewPackage>()(
  Type.Object(
    {
      name: shortText('nightly'),
      producer: shortText('ci'),
      subject: shortText('app'),
      retention_class: Type.String({
        ...shortText('raw-evidence'),
        description: 'One of `GET /retention-classes`, which says how long a package is kept.',
      }),
      metadata: Type.Optional(
        Type.Unsafe<JsonObject>({ ...jsonObject, description: 'Any JSON object; valid against the schema that is named.' }),
      ),
      metadata_schema_slug: Type.Optional(
        Type.Union([Type.String({ ...shortText('build'), description: 'A registered metadata schema.' }), Type.Null()]),
      ),
    },
    strict,
  ),
);

export const attachments: TUnsafe<{ readonly items: readonly Attachment[] }> = describes<{ readonly items: readonly Attachment[] }>()(
  Type.Object(
    {
      items: Type.Array(
        Type.Object(
          {
            relative_path: path,
            content_address: address,
            size_bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [5] }),
            media_type: Type.Optional(mediaType),
            annotations: Type.Optional(stringMap),
          },
          strict,
        ),
        { minItems: 1, maxItems: limits.attachments },
      ),
    },
    strict,
  ),
);

export interface NamedFiles {
  readonly relative_paths: readonly string[];
}

export const namedFiles: TUnsafe<NamedFiles> = describes<NamedFiles>()(
  Type.Object(
    {
      relative_paths: Type.Array(path, {
        minItems: 1,
        maxItems: limits.namedFiles,
        uniqueItems: true,
        description: 'Whole paths, each once; the archive has them in this order.',
      }),
    },
    strict,
  ),
);

/** As clients of 0.1 say it: what they leave open may be null. */
export interface OpenUpload {
  readonly expected_size_bytes?: number | null;
  readonly media_type?: string | null;
}

const mediaTypeOrNull = Type.Optional(Type.Union([mediaType, Type.Null()]));

export const openUpload: TUnsafe<OpenUpload> = describes<OpenUpload>()(
  Type.Object(
    {
      expected_size_bytes: Type.Optional(
        Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [5] }), Type.Null()]),
      ),
      media_type: mediaTypeOrNull,
    },
    strict,
  ),
);

export interface CompleteUpload {
  readonly package_id: string;
  readonly relative_path: string;
  readonly media_type?: string | null;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the bytes must be. */
  readonly content_address?: string;
}

export const completeUpload: TUnsafe<CompleteUpload> = describes<CompleteUpload>()(
  Type.Object(
    {
      package_id: id,
      relative_path: path,
      media_type: mediaTypeOrNull,
      annotations: Type.Optional(stringMap),
      content_address: Type.Optional(address),
    },
    strict,
  ),
);

export interface NewMetadataSchema {
  readonly slug: string;
  readonly json_schema: JsonObject;
}

export const newMetadataSchema: TUnsafe<NewMetadataSchema> = describes<NewMetadataSchema>()(
  Type.Object(
    {
      slug: Type.String({ pattern: slugPattern, examples: ['build'] }),
      json_schema: Type.Unsafe<JsonObject>({
        ...jsonObject,
        description: 'JSON Schema 2020-12.',
        examples: [{ type: 'object', required: ['build'], properties: { build: { type: 'integer' } } }],
      }),
    },
    strict,
  ),
);

export const newExtension: TUnsafe<NewExtension> = describes<NewExtension>()(
  Type.Object(
    {
      new_expires_at: Type.Optional(
        Type.Union([
          Type.String({ format: 'date-time', description: 'RFC 3339, later than now and than the present expiry.' }),
          Type.Null(),
        ]),
      ),
      extend_by_seconds: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          examples: [2_592_000],
          description: 'Instead: this much later than the present expiry, or than now if that has passed.',
        }),
      ),
      reason,
    },
    { ...strict, oneOf: [{ required: ['new_expires_at'] }, { required: ['extend_by_seconds'] }] },
  ),
);

export interface NewHold {
  readonly reason: string;
}

export const newHold: TUnsafe<NewHold> = describes<NewHold>()(Type.Object({ reason }, strict));

export const finalizeExpectation: TUnsafe<FinalizeExpectation> = describes<FinalizeExpectation>()(
  Type.Object(
    {
      files_digest: Type.Optional(
        Type.String({
          pattern: '^sha256:[0-9a-f]{64}$',
          description: '`sha256:<hex>` over the canonical JSON of the files (docs/http.md).',
          examples: [`sha256:${sha256OfHello}`],
        }),
      ),
    },
    strict,
  ),
);

/** The object of a write session whose bytes come in pieces. */
export interface ObjectToUpload {
  readonly name: string;
}

export const objectToUpload: TUnsafe<ObjectToUpload> = describes<ObjectToUpload>()(Type.Object({ name: path }, strict));

export const newWriteSession: TUnsafe<NewWriteSession> = describes<NewWriteSession>()(
  Type.Object(
    {
      scope: Type.String({ ...shortText('deployment_artifacts'), description: 'What the producer uses it for: part of its key.' }),
      producer: shortText('ci'),
      subject: shortText('app'),
      namespace: Type.String({ ...shortText('release-7'), description: 'The name of the package.' }),
      retention_class: Type.String({ ...shortText('raw-evidence'), description: 'One of `GET /retention-classes`.' }),
      ttl_seconds: Type.Integer({
        minimum: limits.sessionLeastSeconds,
        maximum: limits.sessionMostSeconds,
        examples: [3600],
        description: 'When it expires where it is not committed.',
        ...refusedAs('invalid_ttl'),
      }),
      objects: Type.Array(
        Type.Object(
          {
            name: path,
            sha256: Type.String({ pattern: '^[0-9a-f]{64}$', examples: [sha256OfHello] }),
            size_bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [5], ...refusedAs('invalid_size') }),
            media_type: Type.Optional(mediaType),
          },
          strict,
        ),
        { minItems: 1, description: 'Each name once. They become the files of the package.', ...refusedAs('write_session_empty') },
      ),
    },
    strict,
  ),
);
