import { formatAddress } from '../kernel/content/address.ts';
import { fromHex, utf8 } from '../kernel/content/digest.ts';
import { parseRelativePath, type RelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseJson } from '../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/format/json-value.ts';

/** What a manifest of a bundle says first, so that no other JSON is taken for one. */
export const bundleFormat = 'artifactstore.bundle.v1';
/** Of one bundle, as of one write session. */
export const mostArtifacts = 10_000;
/** In bytes of the manifest. */
export const longestManifest = 8_388_608;

/** The artifacts of one release: what they are called, and which bytes they are (schemas/bundle.v1.json). */
export interface Bundle {
  /** What is released, such as a site or a product. */
  readonly name: string;
  /** Which of its releases. Once published, a release of a name is always the same artifacts. */
  readonly release?: string;
  /** In the order of the manifest, each name once. */
  readonly artifacts: readonly Artifact[];
}

export interface Artifact {
  readonly name: RelativePath;
  /** In lowercase hex. */
  readonly sha256: string;
  readonly size_bytes: number;
  readonly media_type?: string;
  /** Where its bytes are, from the directory of the manifest on; its name where the manifest does not say. */
  readonly path: RelativePath;
}

/** Reads a manifest. Throws `malformed_json`, or `invalid_value` and `invalid_path` with a pointer to the place. */
export function parseBundle(bytes: Uint8Array): Bundle {
  const value = parseJson(bytes, { maximumDepth: 8 });
  const bundle = objectAt(value, '', ['format', 'name', 'release', 'artifacts']);
  if (bundle.format !== bundleFormat)
    throw invalid('/format', `is not "${bundleFormat}"`, {
      hint: 'another format is another file, or one of a newer artifactstore',
    });
  const { artifacts, name, release } = bundle;
  if (!Array.isArray(artifacts) || artifacts.length === 0) throw invalid('/artifacts', 'is not a list of artifacts');
  if (artifacts.length > mostArtifacts) throw invalid('/artifacts', `has more than ${mostArtifacts} artifacts`);
  const named = new Set<string>();
  return {
    name: labelAt(name, '/name'),
    ...(release === undefined ? {} : { release: labelAt(release, '/release') }),
    artifacts: artifacts.map((each: JsonValue, index) => {
      const artifact = artifactAt(each, `/artifacts/${index}`);
      if (named.has(artifact.name)) throw invalid(`/artifacts/${index}/name`, `is "${artifact.name}", which is named before`);
      named.add(artifact.name);
      return artifact;
    }),
  };
}

/** The manifest as a file holds it; a path that is the artifact's name is left out. */
export function formatBundle({ name, release, artifacts }: Bundle): Uint8Array {
  const rows = artifacts.map(({ name, sha256, size_bytes, media_type, path }) => {
    return { name, sha256, size_bytes, ...(media_type === undefined ? {} : { media_type }), ...(path === name ? {} : { path }) };
  });
  const value = { format: bundleFormat, name, ...(release === undefined ? {} : { release }), artifacts: rows };
  return utf8(`${JSON.stringify(value, null, 2)}\n`);
}

/** For messages: `gamma`, or `gamma 9997ea2` where it says which release it is. */
export function titleOf({ name, release }: Pick<Bundle, 'name' | 'release'>): string {
  return release === undefined ? name : `${name} ${release}`;
}

/** Where the bytes of an artifact are read, at any server of ours: `/objects/sha256:<hex>/<file name>`. */
export function addressPath({ name, sha256 }: Pick<Artifact, 'name' | 'sha256'>): string {
  return `/objects/${formatAddress('sha256', sha256)}/${encodeURIComponent(baseName(name))}`;
}

/** What of a name is the file's own: the last of its segments. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function artifactAt(value: JsonValue, at: string): Artifact {
  const { name, sha256, size_bytes: size, media_type: mediaType, path } = objectAt(value, at, artifactMembers);
  const parsed = pathAt(name, `${at}/name`);
  if (typeof sha256 !== 'string' || sha256.length !== 64 || fromHex(sha256) === undefined)
    throw invalid(`${at}/sha256`, 'is not a SHA-256 in 64 lowercase hex digits');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${at}/size_bytes`, 'is not a whole number of bytes');
  if (mediaType !== undefined && (typeof mediaType !== 'string' || !mediaTypePattern.test(mediaType)))
    throw invalid(`${at}/media_type`, 'is not a media type, such as application/gzip');
  return {
    name: parsed,
    sha256,
    size_bytes: size,
    ...(mediaType === undefined ? {} : { media_type: mediaType }),
    path: path === undefined ? parsed : pathAt(path, `${at}/path`),
  };
}

const artifactMembers = ['name', 'sha256', 'size_bytes', 'media_type', 'path'];
const mediaTypePattern = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}$/;

function objectAt(value: JsonValue, at: string, members: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw invalid(at, 'is not a JSON object');
  for (const member of Object.keys(value))
    if (!members.includes(member)) throw invalid(`${at}/${member}`, `is no member that is known; these are: ${members.join(', ')}`);
  return value;
}

/** A word that can be the name of a file, on every system. */
function labelAt(value: JsonValue | undefined, at: string): string {
  if (typeof value === 'string' && labelPattern.test(value)) return value;
  throw invalid(at, 'is not a name of 1 to 128 letters, digits, ".", "_" and "-" that begins with a letter or a digit');
}

const labelPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function pathAt(value: JsonValue | undefined, at: string): RelativePath {
  if (typeof value !== 'string') throw invalid(at, 'is not a string');
  return parseRelativePath(value, at);
}

function invalid(at: string, fault: string, info?: Readonly<Record<string, unknown>>): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `The manifest of a bundle is wrong: ${at === '' ? 'it' : at} ${fault}.`, {
    ...(at === '' ? {} : { field: at }),
    ...(info === undefined ? {} : { info }),
  });
}
