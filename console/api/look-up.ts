import { addressesIn } from './addresses.ts';
import { callJson, segments } from './call.ts';
import { Problem } from './problem.ts';
import type { File, FoundFile, Package, Page } from './records.ts';

/** What a text that was pasted or typed leads to. */
export interface Found {
  /** An address of the console, where there is one thing that the text names. */
  readonly at: string | undefined;
  readonly files: readonly FoundFile[];
  /** Of which the text is the digest of the manifest. */
  readonly sealed: readonly Package[];
  readonly named: readonly Package[];
  readonly ofProducer: readonly Package[];
  readonly aboutSubject: readonly Package[];
}

const nothing: Found = { at: undefined, files: [], sealed: [], named: [], ofProducer: [], aboutSubject: [] };
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const shown = 20;

/** Looks for what a text can be: a digest of a file or manifest in any form, an id, a name, a producer, a subject. */
export async function lookUp(text: string, signal: AbortSignal): Promise<Found> {
  const addresses = addressesIn(text);
  if (addresses.length > 0) {
    const [files, sealed] = await Promise.all([
      eachPage<FoundFile>(addresses, (digest) => callJson('files', { query: { digest, limit: 100 }, signal })),
      // Nothing but BLAKE3 is the digest of a manifest.
      eachPage<Package>(
        addresses.filter((address) => address.startsWith('blake3:')),
        (manifest_digest) => callJson('packages', { query: { manifest_digest, limit: shown }, signal }),
      ),
    ]);
    return { ...nothing, files, sealed };
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

async function eachPage<T>(addresses: readonly string[], ask: (address: string) => Promise<Page<T>>): Promise<readonly T[]> {
  return (await Promise.all(addresses.map(ask))).flatMap(({ items }) => items);
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
