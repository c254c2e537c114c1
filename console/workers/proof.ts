import { decodeCbor, encodeFlat } from './cbor.ts';

/** What is compared with what, and how it ended. Unknown is never told as bad. */
export interface Finding {
  readonly result: 'good' | 'bad' | 'unknown';
  /** Which sentence says it, in `strings.verify.findings`. */
  readonly because: Because;
  /** What was found, and what should have been, where they differ. */
  readonly found?: string;
  readonly expected?: string;
  /** The words of a refusal. */
  readonly said?: string;
}

export type Because =
  | 'bytes_match'
  | 'length_differs'
  | 'sha256_differs'
  | 'primary_differs'
  | 'manifest_matches'
  | 'manifest_alone'
  | 'manifest_differs'
  | 'not_in_manifest'
  | 'manifest_names_other_bytes'
  | 'link_follows'
  | 'link_broken'
  | 'seal_names_other_manifest'
  | 'not_sealed'
  | 'chain_not_shown'
  | 'event_not_shown'
  | 'not_given'
  | 'not_reached'
  | 'not_understood';

export interface Digests {
  readonly size_bytes: number;
  readonly digest_sha256: string;
  /** `blake3` or `sha256`, of `digest_primary`. */
  readonly digest_algorithm: string;
  readonly digest_primary: string;
}

export interface Hashed {
  readonly size_bytes: number;
  readonly sha256: string;
  readonly blake3: string;
}

/** The bytes, compared with what the registry says of them. */
export function compareBytes(hashed: Hashed, { size_bytes, digest_sha256, digest_algorithm, digest_primary }: Digests): Finding {
  const differs = (because: Because, found: string | number, expected: string | number): Finding => ({
    result: 'bad',
    because,
    found: String(found),
    expected: String(expected),
  });
  if (hashed.size_bytes !== size_bytes) return differs('length_differs', hashed.size_bytes, size_bytes);
  if (hashed.sha256 !== digest_sha256) return differs('sha256_differs', hashed.sha256, digest_sha256);
  const primary = digest_algorithm === 'blake3' ? hashed.blake3 : hashed.sha256;
  return primary === digest_primary ? { result: 'good', because: 'bytes_match' } : differs('primary_differs', primary, digest_primary);
}

export interface Sealed {
  readonly finding: Finding;
  /** Who sealed it, where and with what, as the manifest says. */
  readonly provenance?: Readonly<Record<string, string>>;
}

/** The manifest's own digest, and that it names a file with these digests, where a file is asked for. */
export function compareManifest(
  bytes: Uint8Array,
  digest: { readonly found: string; readonly expected: string },
  file: (Digests & { readonly relative_path: string }) | undefined,
): Sealed {
  if (digest.found !== digest.expected) return { finding: { result: 'bad', because: 'manifest_differs', ...digest } };
  let manifest: { files?: readonly (Digests & { readonly relative_path: string })[]; provenance?: Readonly<Record<string, string>> };
  try {
    manifest = decodeCbor(bytes) as typeof manifest;
  } catch {
    return { finding: { result: 'unknown', because: 'not_understood' } };
  }
  const { provenance = {} } = manifest;
  if (file === undefined) return { finding: { result: 'good', because: 'manifest_alone' }, provenance };
  const named = manifest.files?.find(({ relative_path }) => relative_path === file.relative_path);
  if (named === undefined) return { finding: { result: 'bad', because: 'not_in_manifest' }, provenance };
  const isSame =
    named.digest_sha256 === file.digest_sha256 && named.digest_primary === file.digest_primary && named.size_bytes === file.size_bytes;
  return {
    finding: isSame
      ? { result: 'good', because: 'manifest_matches' }
      : { result: 'bad', because: 'manifest_names_other_bytes', found: file.digest_sha256, expected: named.digest_sha256 },
    provenance,
  };
}

export interface Link {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
  readonly payload_digest: string;
  readonly chain_digest: string | null;
}

/**
 * The event that sealed the package: it names the manifest's digest, and its chain digest follows from the one before
 * (docs/format.md, section 8).
 */
export function compareLink(
  seal: Link | undefined,
  before: Link | undefined,
  manifestDigest: string,
  blake3: (bytes: Uint8Array) => string,
): Finding {
  if (seal === undefined) return { result: 'unknown', because: 'event_not_shown' };
  // The payload of this event is the manifest, byte for byte.
  if (seal.payload_digest !== manifestDigest)
    return { result: 'bad', because: 'seal_names_other_manifest', found: seal.payload_digest, expected: manifestDigest };
  const previous = seal.sequence === 1 ? `blake3:${'00'.repeat(32)}` : before?.sequence === seal.sequence - 1 ? before.chain_digest : null;
  if (seal.chain_digest === null || previous === null || previous === undefined) return { result: 'unknown', because: 'chain_not_shown' };
  const { sequence, created_at, event_type, subject_kind, subject_id, actor, payload_digest } = seal;
  const link = encodeFlat([sequence, created_at, event_type, subject_kind, subject_id, actor, payload_digest.replace(/^blake3:/, '')]);
  const begin = fromHex(previous.replace(/^blake3:/, ''));
  const joined = new Uint8Array(begin.length + link.length);
  joined.set(begin);
  joined.set(link, begin.length);
  const found = `blake3:${blake3(joined)}`;
  return found === seal.chain_digest
    ? { result: 'good', because: 'link_follows' }
    : { result: 'bad', because: 'link_broken', found, expected: seal.chain_digest };
}

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
