import { isLonger, textPattern } from '../../src/kernel/format/text-rules.ts';
import { addressesIn } from './addresses.ts';
import { callJson, segments } from './call.ts';
import { Problem } from './problem.ts';
import type { File, FoundFile, Package, Page } from './records.ts';

/** What a text that was pasted or typed can mean: each of it that there is. */
export interface Found {
  /** What it is the id of: an address of the console, and how that is called. */
  readonly id: { readonly at: string; readonly name: string } | undefined;
  readonly files: Page<FoundFile>;
  /** Of which the text is the digest of the manifest. */
  readonly sealed: Page<Package>;
  readonly named: Page<Package>;
  readonly ofProducer: Page<Package>;
  readonly aboutSubject: Page<Package>;
}

const none = { items: [], next_cursor: null };
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export function isId(text: string): boolean {
  return uuid.test(text.toLowerCase());
}

const storable = new RegExp(textPattern);
/** Of names, producers and subjects, in characters. */
const longestName = 256;
const shown = 20;

/** Whether anything can be called so, whatever it looks like. */
export function mayBeName(text: string): boolean {
  return text !== '' && storable.test(text) && !isLonger(text, longestName);
}

/**
 * Looks for all that a text can be: a digest of a file or manifest in any form, an id, a name, a producer, a subject.
 * Whatever it looks like, it may be a name as well: the subject of an image is its digest.
 */
export async function lookUp(text: string, signal: AbortSignal): Promise<Found> {
  const addresses = addressesIn(text);
  const packages = (query: Readonly<Record<string, string>>): Promise<Page<Package>> =>
    callJson('packages', { query: { ...query, limit: shown }, signal });
  const [id, files, sealed, named, ofProducer, aboutSubject] = await Promise.all([
    withId(text.toLowerCase(), signal),
    together(addresses.map((digest) => callJson<Page<FoundFile>>('files', { query: { digest, limit: 100 }, signal }))),
    // Nothing but BLAKE3 is the digest of a manifest.
    together(addresses.filter((each) => each.startsWith('blake3:')).map((manifest_digest) => packages({ manifest_digest }))),
    ...(['name', 'producer', 'subject'] as const).map(async (filter) => (mayBeName(text) ? await packages({ [filter]: text }) : none)),
  ]);
  return { id, files, sealed, named: named!, ofProducer: ofProducer!, aboutSubject: aboutSubject! };
}

async function withId(id: string, signal: AbortSignal): Promise<Found['id']> {
  if (!uuid.test(id)) return undefined;
  const [record, file] = await Promise.all([
    orMissing(callJson<Package>(`packages/${segments(id)}`, { signal })),
    orMissing(callJson<File>(`files/${segments(id)}`, { signal })),
  ]);
  if (record !== undefined) return { at: `packages/${id}`, name: record.name };
  if (file === undefined) return undefined;
  return {
    at: `packages/${file.package_id}/files/${segments(...file.relative_path.split('/'))}`,
    name: file.relative_path,
  };
}

/** As one page: there are more where any of them has more. */
async function together<T>(asked: readonly Promise<Page<T>>[]): Promise<Page<T>> {
  const pages = await Promise.all(asked);
  return {
    items: pages.flatMap(({ items }) => items),
    next_cursor: pages.find(({ next_cursor }) => next_cursor !== null)?.next_cursor ?? null,
  };
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
