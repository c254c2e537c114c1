import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson } from '../../kernel/format/json.ts';
import type { Package } from '../../registry/REGISTRY.ts';
import { createLimit, forEachLimited } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import { knownUploads } from '../push/known-uploads.ts';
import { noSignal, usualJobs } from '../transfer-options.ts';
import { type Copying, copyPackage, type PackageCopy } from './copy-package.ts';
import { createTally, type ImportReport } from './report.ts';
import type { Source } from './source.ts';
import { endsRun } from './stops.ts';

export interface ImportOptions {
  /** Of these producers only; of all that the source shows where absent or empty. */
  readonly producers?: readonly string[];
  /** Whether holds are copied; they are where absent. */
  readonly holds?: boolean;
  /** How many requests are under way at once, at the source and at the target; 8 where absent. */
  readonly jobs?: number;
  readonly signal?: AbortSignal;
  /** Where it is kept which large file was begun; only as long as it runs where absent. */
  readonly cacheDirectory?: string | undefined;
  /** Files of more bytes are continued after a break; 16 MiB where absent. */
  readonly resumableAbove?: number;
  /** Told of each package when it is done. */
  onPackage?(copy: PackageCopy): void;
  onTotal?(bytes: number): void;
  onDone?(bytes: number): void;
}

/** What a run has done, and what ended it before its end. */
export interface Imported {
  readonly report: ImportReport;
  readonly failure?: unknown;
}

/** Copies packages, in one run or in several. */
export interface Importer {
  /** Everything that the source shows now. */
  all(): Promise<Imported>;
  /** These, as far as they are sealed. Answers those that were not copied with all that belongs to them. */
  these(ids: Iterable<string>): Promise<readonly string[]>;
}

/**
 * Copies the sealed packages of a source into the registry `target`. A run that was stopped or killed anywhere is
 * continued by the next one, from whichever machine: what is there is found by what it is a copy of. Memory is bounded
 * by the packages and the requests under way.
 */
export function createImporter(source: Source, target: RemoteRegistry, options: ImportOptions = {}): Importer {
  const {
    producers = [],
    holds = true,
    jobs = usualJobs,
    signal: outer = noSignal(),
    cacheDirectory,
    resumableAbove = usualAbove,
  } = options;
  const schemas = new Map<string, Promise<void>>();
  /** A list of many files takes memory while its package is copied. */
  const longLists = createLimit(1);
  const requests = createLimit(jobs);
  const full = new Map<string, ArtifactstoreError>();
  const known = cacheDirectory === undefined ? undefined : knownUploads(cacheDirectory);

  function bringSchema(slug: string): Promise<void> {
    const brought = schemas.get(slug) ?? bring(slug);
    schemas.set(slug, brought);
    return brought;
  }

  /** One that is there already needs no right to register it. */
  async function bring(slug: string): Promise<void> {
    const found = await source.schema(slug);
    if (found === undefined)
      throw new ArtifactstoreError('unknown_metadata_schema', `The source has no metadata schema "${slug}", which the package names.`);
    const own = await target.metadataSchemas.get(slug);
    if (own !== undefined && canonicalJson(own.json_schema) === canonicalJson(found.json_schema)) return;
    await target.metadataSchemas.register({ slug, json_schema: found.json_schema });
  }

  /** A quota that is used up is not tried with every package: each would leave one that is open. */
  async function copied(original: Package, copying: Copying): Promise<PackageCopy> {
    const earlier = full.get(original.producer);
    if (earlier !== undefined) return { state: 'failed', original, package_id: null, faults: [earlier] };
    const copy = await (original.file_count > longList
      ? longLists.run(() => copyPackage(original, copying))
      : copyPackage(original, copying));
    const refusal = copy.faults.find(({ code }) => code === 'quota_exceeded');
    if (refusal !== undefined && copy.state === 'failed') full.set(original.producer, refusal);
    return copy;
  }

  /** Every package of the list, a few at a time; the first error that is about the whole run ends it. */
  async function run(packages: AsyncIterable<Package>, note: (copy: PackageCopy) => void, onSent: (bytes: number) => void): Promise<void> {
    const stopped = new AbortController();
    const signal = AbortSignal.any([outer, stopped.signal]);
    const onDone = (bytes: number): void => options.onDone?.(bytes);
    const copying: Copying = { source, target, requests, signal, resumableAbove, known, holds, bringSchema, onDone, onSent };
    let failure: { readonly error: unknown } | undefined;
    full.clear();
    try {
      await forEachLimited(packages, Math.min(jobs, packagesAtOnce), async (original) => {
        signal.throwIfAborted();
        try {
          const copy = await copied(original, copying);
          note(copy);
          options.onPackage?.(copy);
        } catch (error) {
          failure ??= { error };
          stopped.abort();
          throw error;
        }
      });
    } catch (error) {
      if (outer.aborted) throw isArtifactstoreError(outer.reason) ? outer.reason : error;
      throw failure === undefined ? error : failure.error;
    }
  }

  async function* sealed(onOther: (status: Package['status']) => void): AsyncIterable<Package> {
    for (const producer of producers.length === 0 ? [undefined] : producers)
      for await (const page of source.packages(producer, outer)) {
        options.onTotal?.(page.reduce((sum, { status, total_bytes }) => sum + (status === 'finalized' ? total_bytes : 0), 0));
        for (const original of page)
          if (original.status === 'finalized') yield original;
          else onOther(original.status);
      }
  }

  return {
    async all() {
      const tally = createTally(source.url);
      try {
        await run(sealed(tally.noteOther), tally.note, tally.sent);
        return { report: tally.report() };
      } catch (failure) {
        return { report: tally.report(), failure };
      }
    },

    async these(ids) {
      const again: string[] = [];
      async function* found(): AsyncIterable<Package> {
        for (const id of ids) {
          const original = await source.package(id).catch((error: unknown) => {
            if (endsRun(error)) throw error;
            again.push(id);
            return undefined;
          });
          if (original?.status !== 'finalized') continue;
          if (producers.length === 0 || producers.includes(original.producer)) yield original;
        }
      }
      await run(
        found(),
        ({ faults, original }) => void (faults.length > 0 && again.push(original.id)),
        () => undefined,
      );
      return again;
    },
  };
}

const usualAbove = 16_777_216;
const packagesAtOnce = 4;
const longList = 5_000;
