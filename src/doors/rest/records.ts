import { type TSchema, type TUnsafe, Type } from '#typebox';
import type { ErrorCode } from '../../kernel/error.ts';
import type {
  Attached,
  BackendHealth,
  EventPage,
  EventRecord,
  File,
  Finalized,
  FoundFile,
  Health,
  Hold,
  Location,
  MetadataSchema,
  Package,
  Page,
  ProducerRecord,
  RetentionClassRecord,
  RetentionEvent,
  RetentionRecord,
  Upload,
} from '../../registry/REGISTRY.ts';
import { describes } from './openapi/describes.ts';
import { type Problem, problems } from './problem.ts';
import {
  address,
  addressOrNull,
  count,
  countOrNull,
  id,
  jsonObject,
  jsonValue,
  pageOf,
  path,
  stringMap,
  text,
  textOrNull,
  time,
  timeOrNull,
} from './record-members.ts';
import { sessionComponents } from './session-records.ts';

/**
 * The wire's records as JSON Schema, by their names in the components of the OpenAPI, which shows them. Each is checked
 * by the compiler to be the registry's record: a member more, less or other on either side does not compile.
 */
export const packageRecord: TUnsafe<Package> = component('Package')<Package>();
export const finalizedRecord: TUnsafe<Finalized> = component('Finalized')<Finalized>();
export const fileRecord: TUnsafe<File> = component('File')<File>();
export const foundFileRecord: TUnsafe<FoundFile> = component('FoundFile')<FoundFile>();
export const attachedRecord: TUnsafe<Attached> = component('Attached')<Attached>();
export const eventPage: TUnsafe<EventPage> = component('EventPage')<EventPage>();
export const metadataSchemaRecord: TUnsafe<MetadataSchema> = component('MetadataSchema')<MetadataSchema>();
export const retentionClassRecord: TUnsafe<RetentionClassRecord> = component('RetentionClass')<RetentionClassRecord>();
export const retentionRecord: TUnsafe<RetentionRecord> = component('Retention')<RetentionRecord>();
export const holdRecord: TUnsafe<Hold> = component('Hold')<Hold>();
export const healthRecord: TUnsafe<Health> = component('Health')<Health>();
export const uploadRecord: TUnsafe<Upload> = component('Upload')<Upload>();
export const problemRecord: TUnsafe<Problem> = component('Problem')<Problem>();

export const packagePage: TUnsafe<Page<Package>> = Type.Unsafe<Page<Package>>(pageOf(packageRecord));
export const filePage: TUnsafe<Page<File>> = Type.Unsafe<Page<File>>(pageOf(fileRecord));
export const foundFilePage: TUnsafe<Page<FoundFile>> = Type.Unsafe<Page<FoundFile>>(pageOf(foundFileRecord));
export const uploadPage: TUnsafe<Page<Upload>> = Type.Unsafe<Page<Upload>>(pageOf(uploadRecord));
export const metadataSchemaPage: TUnsafe<Page<MetadataSchema>> = Type.Unsafe<Page<MetadataSchema>>(pageOf(metadataSchemaRecord));

/** The list of many answers in a body of their own. */
export function itemsOf<T>(item: TUnsafe<T>): TUnsafe<{ readonly items: readonly T[] }> {
  return Type.Unsafe<{ readonly items: readonly T[] }>(Type.Object({ items: Type.Array(item) }));
}

/** `existing`: the paths of those that were there before, with the same bytes. */
export const addedFiles: TUnsafe<{ readonly items: readonly File[]; readonly existing: readonly string[] }> = Type.Unsafe<{
  readonly items: readonly File[];
  readonly existing: readonly string[];
}>(Type.Object({ items: Type.Array(fileRecord), existing: Type.Array(Type.String({ description: 'A relative path.' })) }));

const bound = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'Its quota; null: there is none.' });

export const producerRecord: TUnsafe<ProducerRecord> = describes<ProducerRecord>()(
  Type.Object({ producer: Type.String(), packages: count, files: count, bytes: count, maximum_packages: bound, maximum_bytes: bound }),
);

const packageStatus = Type.Union([
  Type.Literal('created'),
  Type.Literal('finalized'),
  Type.Literal('abandoned'),
  Type.Literal('garbage_collected'),
]);

const hold = Type.Object({
  id,
  reason: text,
  owner: text,
  applied_at: time,
  released_at: timeOrNull,
  released_by: textOrNull,
  release_reason: textOrNull,
});

const retentionEvent = Type.Object({ sequence: count, created_at: time, event_type: text, actor: text, detail: jsonObject });

const location = Type.Object({
  id,
  backend_id: text,
  object_key: text,
  state: Type.Union([Type.Literal('stored'), Type.Literal('verified'), Type.Literal('failed'), Type.Literal('deleted')]),
  stored_at: time,
  verified_at: timeOrNull,
  retrieval_tier: text,
  restore_status: textOrNull,
});

const fileMembers = {
  id,
  package_id: id,
  relative_path: path,
  media_type: text,
  size_bytes: count,
  digest_algorithm: text,
  digest_primary: text,
  digest_sha256: text,
  content_address: address,
  annotations: stringMap,
  created_at: time,
  locations: Type.Array(describes<Location>()(location)),
};
const file = Type.Object(fileMembers);
const foundFile = Type.Object({
  ...fileMembers,
  package: Type.Object({ id, name: text, producer: text, subject: text, status: packageStatus }),
});

const backend = Type.Object({
  backend_id: text,
  healthy: Type.Boolean(),
  full: Type.Optional(Type.Literal(true)),
  detail: text,
  keys_unread_seconds: Type.Optional(count),
  free_bytes: countOrNull,
  total_bytes: countOrNull,
  failed_locations: count,
  held_objects: countOrNull,
  held_bytes: countOrNull,
});

const event = Type.Object({
  sequence: Type.Integer({ minimum: 1 }),
  created_at: time,
  event_type: text,
  subject_kind: text,
  subject_id: text,
  actor: text,
  payload: jsonValue,
  payload_digest: address,
  chain_digest: Type.Union([address, Type.Null()]),
});

/** The components themselves, each under its name. */
export const components: readonly (TSchema & { readonly $id: string })[] = [
  named(
    'Package',
    describes<Package>()(
      Type.Object({
        id,
        name: text,
        producer: text,
        subject: text,
        retention_class: text,
        status: packageStatus,
        metadata: jsonObject,
        metadata_schema_slug: textOrNull,
        created_at: time,
        created_by: text,
        finalized_at: timeOrNull,
        manifest_digest: addressOrNull,
        expires_at: timeOrNull,
        file_count: count,
        total_bytes: count,
        hold_count: count,
      }),
    ),
  ),
  named(
    'Finalized',
    describes<Finalized>()(
      Type.Object({ package_id: id, manifest_digest: address, finalized_at: time, file_count: count, total_bytes: count }),
    ),
  ),
  named('File', describes<File>()(file)),
  named(
    'Upload',
    describes<Upload>()(
      Type.Object({
        id,
        state: Type.Union([Type.Literal('open'), Type.Literal('finished')]),
        offset_bytes: count,
        size_bytes: countOrNull,
        package_id: Type.Union([id, Type.Null()]),
        relative_path: Type.Union([path, Type.Null()]),
        media_type: textOrNull,
        created_at: time,
        created_by: text,
        updated_at: time,
        expires_at: time,
        backend_id: text,
        file_id: Type.Union([id, Type.Null()]),
        notes: Type.Record(Type.String(), Type.String()),
      }),
    ),
  ),
  ...sessionComponents.map(([name, shape]) => named(name, shape)),
  named('FoundFile', describes<FoundFile>()(foundFile)),
  named(
    'Attached',
    describes<Attached>()(
      Type.Object({
        relative_path: path,
        result: Type.Union([Type.Literal('created'), Type.Literal('exists'), Type.Literal('missing')]),
        file: Type.Optional(fileRecord),
      }),
    ),
  ),
  named(
    'EventPage',
    describes<EventPage>()(Type.Object({ items: Type.Array(describes<EventRecord>()(event)), next_since: count, last_sequence: count })),
  ),
  named(
    'MetadataSchema',
    describes<MetadataSchema>()(Type.Object({ slug: text, json_schema: jsonObject, created_at: time, created_by: text })),
  ),
  named('RetentionClass', describes<RetentionClassRecord>()(Type.Object({ slug: text, default_duration_seconds: countOrNull }))),
  named('Hold', describes<Hold>()(hold)),
  named(
    'Retention',
    describes<RetentionRecord>()(
      Type.Object({
        package_id: id,
        status: packageStatus,
        retention_class: text,
        expires_at: timeOrNull,
        eligible_at: timeOrNull,
        finalized_at: timeOrNull,
        holds: Type.Array(describes<Hold>()(hold)),
        history: Type.Array(describes<RetentionEvent>()(retentionEvent)),
        holds_left_out: count,
        history_left_out: count,
      }),
    ),
  ),
  named(
    'Health',
    describes<Health>()(
      Type.Object({
        status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
        version: text,
        db: Type.Object({ healthy: Type.Boolean(), detail: text }),
        clock: Type.Object({ healthy: Type.Boolean(), detail: text }),
        backend: describes<BackendHealth>()(backend),
        backends: Type.Array(describes<BackendHealth>()(backend)),
        last_sequence: count,
        access_file: Type.Optional(
          Type.Object({
            healthy: Type.Boolean(),
            detail: text,
            loaded_at: time,
            issuers: Type.Array(Type.Object({ issuer: text, healthy: Type.Boolean(), detail: text, keys: count, read_at: timeOrNull })),
          }),
        ),
        producers: Type.Optional(Type.Array(producerRecord)),
      }),
    ),
  ),
  named(
    'Problem',
    Type.Object({
      type: Type.Optional(Type.String({ format: 'uri', description: 'Only of problems that are registered with IANA.' })),
      title: text,
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      detail: text,
      code: Type.Unsafe<ErrorCode>({ type: 'string', enum: Object.keys(problems), description: 'Act on this.' }),
      field: Type.Optional(Type.String({ description: 'A JSON pointer, a header, a parameter or a path.' })),
      info: Type.Optional(jsonObject),
      request_id: text,
      'expected-offset': Type.Optional(count),
      'provided-offset': Type.Optional(count),
    }),
  ),
];

function component(name: string): <T>() => TUnsafe<T> {
  return <T>() => Type.Unsafe<T>({ $ref: `${name}#` });
}

function named(name: string, shape: TSchema): TSchema & { readonly $id: string } {
  return { ...shape, $id: name };
}
