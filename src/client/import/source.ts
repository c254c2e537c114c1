import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import type { MetadataSchema, Package, Page, RetentionRecord } from '../../registry/REGISTRY.ts';
import { downloadUnchecked } from '../download.ts';
import { type DownloadMany, manyDownloads } from '../download-many.ts';
import { getJson, queryText } from '../wire/request.ts';
import { metadataSchemaShape, packageShape, packagesShape, retentionShape, type Shape } from '../wire/shape.ts';
import { createTransport, type TransportOptions } from '../wire/transport.ts';
import { mostManifestBytes, refuseDepth, watchPages } from './source-bounds.ts';
import { isMissing, librarySourceNames, ofSource, type SourceNames } from './source-error.ts';
import { readSourceManifest, type SourceFile, type SourceManifest } from './source-records.ts';
import { endsRun } from './stops.ts';

/** What happened in a source, as far as a mirror needs to know it. */
export interface SourceEvent {
  readonly sequence: number;
  readonly event_type: string;
  readonly subject_id: string;
}

export interface SourceEvents {
  readonly items: readonly SourceEvent[];
  /** For the next `since`. */
  readonly next_since: number;
  readonly last_sequence: number;
}

/**
 * A registry that packages are copied from, read over its HTTP API and never changed. It asks for what 0.1 and this
 * version have in common. Each error says that it is the source's (`info.side`).
 */
export interface Source extends AsyncDisposable {
  readonly url: string;
  /** Every package that its token may read, whatever its status, newest first, a page at a time. */
  packages(producer: string | undefined, signal: AbortSignal): AsyncIterable<readonly Package[]>;
  package(id: string): Promise<Package | undefined>;
  manifest(record: Package): Promise<SourceManifest>;
  /** Bytes of a file from `offset` on; resumed where a connection broke off, and not compared with anything. */
  bytes(file: SourceFile, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Undefined where the source does not know how; see `DownloadMany`. */
  readonly many: DownloadMany;
  retention(id: string): Promise<RetentionRecord>;
  schema(slug: string): Promise<MetadataSchema | undefined>;
  events(
    since: number,
    options: { readonly waitSeconds: number; readonly limit?: number; readonly signal: AbortSignal },
  ): Promise<SourceEvents>;
  close(): Promise<void>;
}

export interface SourceOptions extends TransportOptions {
  readonly names?: SourceNames;
  /** How many pages a list of packages has at most; 100,000 where absent. */
  readonly mostPages?: number;
}

/** Nothing is sent before the first call. */
export function connectSource(options: SourceOptions): Source {
  const { names = librarySourceNames, url } = options;
  const transport = createTransport(options);
  const many = manyDownloads(transport);
  let knowsMany = true;
  const at = (id: string): string => `/packages/${parseId(id, 'package_id')}`;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw ofSource(error, names);
    }
  };

  async function readManifest(record: Package): Promise<SourceManifest> {
    const request = {
      method: 'GET',
      path: `${at(record.id)}/manifest`,
      headers: { accept: 'application/cbor' },
      repeatable: true,
    } as const;
    return readSourceManifest(await transport.exchange(request, (answer) => answer.cborBytes(mostManifestBytes(record))), record);
  }

  async function* bytes(file: SourceFile, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    try {
      if (offset >= file.size_bytes && file.size_bytes > 0) return;
      yield* await downloadUnchecked(transport, `/files/${parseId(file.id, 'file_id')}/download`, file, signal, offset);
    } catch (error) {
      throw ofSource(error, names);
    }
  }

  return {
    url,
    bytes,
    many: async (id, files, signal) => {
      if (!knowsMany) return undefined;
      try {
        return await many(id, files, signal);
      } catch (error) {
        // What is wrong with a file shows when it is asked for by itself.
        if (signal?.aborted === true || !isArtifactstoreError(error) || endsRun(error)) throw ofSource(error, names);
        knowsMany = false;
        return undefined;
      }
    },
    package: async (id) => await told(lookUp(getJson(transport, at(id), packageShape).then(refuseDepth))),
    manifest: async (record) => await told(readManifest(record)),
    retention: async (id) => await told(getJson(transport, `${at(id)}/retention`, retentionShape)),
    schema: async (slug) =>
      await told(lookUp(getJson(transport, `/metadata-schemas/${encodeURIComponent(slug)}`, metadataSchemaShape).then(refuseDepth))),
    packages: (producer, signal) => pagesOf(producer, signal),
    events: async (since, { waitSeconds, limit = 500, signal }) => {
      const path = `/events${queryText({ since, limit, wait: waitSeconds })}`;
      const request = { method: 'GET', path, headers: { accept: 'application/cbor' }, repeatable: true, signal } as const;
      const { value } = await told(transport.exchange(request, (answer) => answer.cbor(eventsShape)));
      // 0.1 does not say up to where it looked: what it gave is all that it looked at.
      const { items, last_sequence, next_since = items.at(-1)?.sequence ?? since } = value;
      // One that ends before `since` is another log, and who follows it sees that.
      const leadsOn = Number.isSafeInteger(next_since) && (items.length === 0 ? next_since >= since : next_since > since);
      if (last_sequence >= since && !leadsOn)
        throw ofSource(
          new ArtifactstoreError(
            'unexpected_answer',
            `The log after event ${since} continues after event ${next_since}: it leads nowhere.`,
          ),
          names,
        );
      return { items, last_sequence, next_since };
    },
    close: () => transport.close(),
    [Symbol.asyncDispose]: () => transport.close(),
  };

  async function* pagesOf(producer: string | undefined, signal: AbortSignal): AsyncIterable<readonly Package[]> {
    const watch = watchPages(options.mostPages);
    for (let cursor: string | undefined; ; ) {
      signal.throwIfAborted();
      const query = { limit: pageItems, producer, cursor };
      const page: Page<Package> = await told(
        getJson(transport, `/packages${queryText(query)}`, packagesShape).then((found) => {
          watch.saw(found);
          return refuseDepth(found);
        }),
      );
      yield page.items;
      if (page.next_cursor === null) return;
      cursor = page.next_cursor;
    }
  }
}

/** Undefined for what is not there, whatever a source calls it. */
async function lookUp<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const pageItems = 500;

interface EventsAnswer {
  readonly items: readonly SourceEvent[];
  readonly last_sequence: number;
  readonly next_since?: number;
}

const eventsShape: Shape<EventsAnswer> = {
  name: 'a page of events',
  fits: (value): value is EventsAnswer =>
    typeof value === 'object' &&
    value !== null &&
    'items' in value &&
    Array.isArray(value.items) &&
    value.items.every(isEvent) &&
    'last_sequence' in value &&
    typeof value.last_sequence === 'number' &&
    (!('next_since' in value) || typeof value.next_since === 'number'),
};

function isEvent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { sequence, event_type, subject_id } = value as Readonly<Record<string, unknown>>;
  return typeof sequence === 'number' && typeof event_type === 'string' && typeof subject_id === 'string';
}
