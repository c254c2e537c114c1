import type { Grant, WhoAmI } from '../../kernel/access.ts';
import type {
  Attached,
  CommittedSession,
  EventPage,
  File,
  Finalized,
  FoundFile,
  Health,
  Hold,
  ListedWriteSession,
  MetadataSchema,
  Package,
  Page,
  ProducerRecord,
  RetentionClassRecord,
  RetentionRecord,
  SessionObject,
  Upload,
  Usage,
  WriteSession,
} from '../../registry/REGISTRY.ts';

/**
 * By what a record of the server is told from the JSON of something else. It asks for what the client and its callers
 * use, and for no more: another version of the server may leave out or add.
 */
export interface Shape<T> {
  /** With its article, for messages. */
  readonly name: string;
  fits(value: unknown): value is T;
}

type Kind = 'string' | 'number' | 'object' | 'array';

export const packageShape: Shape<Package> = record('the record of a package', {
  id: 'string',
  name: 'string',
  producer: 'string',
  subject: 'string',
  retention_class: 'string',
  status: 'string',
  metadata: 'object',
  created_at: 'string',
  file_count: 'number',
  total_bytes: 'number',
});

const fileMembers = {
  id: 'string',
  package_id: 'string',
  relative_path: 'string',
  media_type: 'string',
  size_bytes: 'number',
  digest_algorithm: 'string',
  digest_primary: 'string',
  digest_sha256: 'string',
  content_address: 'string',
  annotations: 'object',
} as const;

export const fileShape: Shape<File> = record('the record of a file', fileMembers);
const foundFileShape: Shape<FoundFile> = record('the record of a file with its package', { ...fileMembers, package: 'object' });

export const finalizedShape: Shape<Finalized> = record('the answer to sealing a package', {
  package_id: 'string',
  manifest_digest: 'string',
  file_count: 'number',
  total_bytes: 'number',
});

export const uploadShape: Shape<Upload> = record('the record of an upload', { id: 'string', state: 'string', offset_bytes: 'number' });

export const sessionObjectShape: Shape<SessionObject> = record('an object of a write session', {
  name: 'string',
  sha256: 'string',
  size_bytes: 'number',
  state: 'string',
});

export const writeSessionShape: Shape<WriteSession> = {
  name: 'the record of a write session',
  fits: (value): value is WriteSession =>
    isRecord(value) && typeof value.id === 'string' && typeof value.state === 'string' && allFit(value.objects, sessionObjectShape),
};

const listedSessionShape: Shape<ListedWriteSession> = record('a write session of a list', {
  id: 'string',
  state: 'string',
  producer: 'string',
});

export const committedShape: Shape<CommittedSession> = record('the answer to committing a write session', {
  package_id: 'string',
  manifest_digest: 'string',
  objects: 'object',
});

export const holdShape: Shape<Hold> = record('the record of a hold', {
  id: 'string',
  reason: 'string',
  owner: 'string',
  applied_at: 'string',
});

export const retentionShape: Shape<RetentionRecord> = record('the retention of a package', {
  package_id: 'string',
  status: 'string',
  retention_class: 'string',
  holds: 'array',
  history: 'array',
});

export const metadataSchemaShape: Shape<MetadataSchema> = record('the record of a metadata schema', {
  slug: 'string',
  json_schema: 'object',
});

export const healthShape: Shape<Health> = record('the health of a registry', {
  status: 'string',
  version: 'string',
  db: 'object',
  backend: 'object',
  backends: 'array',
  last_sequence: 'number',
  clock: 'object',
});

export const usageShape: Shape<Usage> = record('how full a registry is', {
  counted_at: 'string',
  last_sequence: 'number',
  packages: 'object',
  producers: 'array',
  backends: 'array',
});

const grantShape: Shape<Grant> = record('a grant', { role: 'string', producers: 'array' });

export const whoAmIShape: Shape<WhoAmI> = {
  name: 'whom a server takes a caller for',
  fits: (value): value is WhoAmI => isRecord(value) && typeof value.actor === 'string' && allFit(value.grants, grantShape),
};

const retentionClassShape: Shape<RetentionClassRecord> = record('the record of a retention class', { slug: 'string' });
const eventShape = record('an event', { sequence: 'number', event_type: 'string', subject_id: 'string', payload_digest: 'string' });

const attachedShape: Shape<Attached> = {
  name: 'what became of an attachment',
  fits: (value): value is Attached =>
    isRecord(value) &&
    typeof value.relative_path === 'string' &&
    (value.result === 'missing' || (typeof value.result === 'string' && fileShape.fits(value.file))),
};

/** Without its record, which an older registry sends anyway. */
const attachedResultShape: Shape<Attached> = {
  name: 'what became of an attachment',
  fits: (value): value is Attached =>
    isRecord(value) && typeof value.relative_path === 'string' && ['created', 'exists', 'missing'].includes(String(value.result)),
};

const producerShape: Shape<ProducerRecord> = record('what a producer has', {
  producer: 'string',
  packages: 'number',
  files: 'number',
  bytes: 'number',
});

export const packagesShape: Shape<Page<Package>> = page('a list of packages', packageShape);
export const filesShape: Shape<Page<File>> = page('a list of files', fileShape);
export const foundFilesShape: Shape<Page<FoundFile>> = page('a list of files with their packages', foundFileShape);
export const metadataSchemasShape: Shape<Page<MetadataSchema>> = page('a list of metadata schemas', metadataSchemaShape);
export const writeSessionsShape: Shape<Page<ListedWriteSession>> = page('a list of write sessions', listedSessionShape);
export const producersShape: Shape<Page<ProducerRecord>> = page('a list of producers', producerShape);
export const retentionClassesShape: Shape<Items<RetentionClassRecord>> = items('the list of retention classes', retentionClassShape);
export const addedShape: Shape<Items<File> & { readonly existing?: readonly string[] }> = items('a list of added files', fileShape);
export const attachedItemsShape: Shape<Items<Attached>> = items('a list of attached files', attachedShape);
export const attachedResultsShape: Shape<Items<Attached>> = items('what became of attachments', attachedResultShape);

export const eventPageShape: Shape<EventPage> = {
  name: 'a page of events',
  fits: (value): value is EventPage =>
    isRecord(value) && typeof value.next_since === 'number' && typeof value.last_sequence === 'number' && allFit(value.items, eventShape),
};

interface Items<T> {
  readonly items: readonly T[];
}

function record<T>(name: string, members: Readonly<Record<string, Kind>>): Shape<T> {
  return {
    name,
    fits: (value): value is T => isRecord(value) && Object.entries(members).every(([member, kind]) => kindOf(value[member]) === kind),
  };
}

function page<T>(name: string, item: Shape<T>): Shape<Page<T>> {
  return {
    name,
    fits: (value): value is Page<T> =>
      isRecord(value) && (value.next_cursor === null || typeof value.next_cursor === 'string') && allFit(value.items, item),
  };
}

function items<T, L extends Items<T>>(name: string, item: Shape<T>): Shape<L> {
  return { name, fits: (value): value is L => isRecord(value) && allFit(value.items, item) };
}

function allFit(value: unknown, item: Shape<unknown>): boolean {
  return Array.isArray(value) && value.every((one) => item.fits(one));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return kindOf(value) === 'object';
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
