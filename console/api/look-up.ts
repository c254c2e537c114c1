import { addressesIn } from './addresses.ts';
import { callJson, segments } from './call.ts';
import { Problem } from './problem.ts';
import type { File, FoundFile, Package, Page } from './records.ts';

/** What a text that was pasted or typed leads to. */
export interface Found {
  /** An address of the console, where there is one thing that the text names. */
  readonly at: string | undefined;
  readonly files: readonly FoundFile[];
  readonly named: readonly Package[];
  readonly ofProducer: readonly Package[];
  readonly aboutSubject: readonly Package[];
}

const nothing: Found = { at: undefined, files: [], named: [], ofProducer: [], aboutSubject: [] };
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const shown = 20;

/** Looks for what a text can be: a digest in any of its forms, an id, a name, a producer, a subject. */
export async function lookUp(text: string, signal: AbortSignal): Promise<Found> {
  const addresses = addressesIn(text);
  if (addresses.length > 0) {
    const pages = await Promise.all(
      addresses.map((digest) => callJson<Page<FoundFile>>('files', { query: { digest, limit: 100 }, signal })),
    );
    return { ...nothing, files: pages.flatMap(({ items }) => items) };
  }
  const id = text.toLowerCase();
  if (uuid.test(id)) {
    const found = await Promise.all([
      orMissing(callJson<Package>(`packages/${segments(id)}`, { signal })),
      orMissing(callJson<File>(`files/${segments(id)}`, { signal })),
    ]);
    const [record, file] = found;
    if (record !== undefined) return { ...nothing, at: `packages/${id}` };
    return file === undefined
      ? nothing
      : { ...nothing, at: `packages/${file.package_id}/files/${segments(...file.relative_path.split('/'))}` };
  }
  const [named, ofProducer, aboutSubject] = await Promise.all(
    ['name', 'producer', 'subject'].map((filter) =>
      callJson<Page<Package>>('packages', { query: { [filter]: text, limit: shown }, signal }),
    ),
  );
  return { ...nothing, named: named!.items, ofProducer: ofProducer!.items, aboutSubject: aboutSubject!.items };
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
