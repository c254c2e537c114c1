import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { sharedLater } from '../../runtime/shared-later.ts';

/** The files of the console, by their path below `/console/`. */
export interface Built {
  /** What every address that names no file answers, with its base left open. */
  readonly page: string;
  readonly files: ReadonlyMap<string, BuiltFile>;
}

export interface BuiltFile {
  readonly bytes: Buffer;
  /** The same bytes as `Content-Encoding` has them, where they were compressed. */
  readonly encoded: ReadonlyMap<Encoding, Buffer>;
  readonly etag: string;
}

/** The shortest first. */
export const encodings = ['br', 'gzip'] as const;
export type Encoding = (typeof encodings)[number];

const endings: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' };

/**
 * Reads them when they are asked for, and then keeps them: they are small, and a name that is no key of a table leads
 * nowhere. Where there are none, that is told, and looked at again with the next request.
 */
export function readBuilt(directory: URL): () => Promise<Built> {
  let known: Built | undefined;
  const read = sharedLater(async () => await readAll(directory));
  return async () => {
    known ??= await read();
    return known;
  };
}

async function readAll(directory: URL): Promise<Built> {
  const names = await namesIn(directory);
  const bytes = new Map(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, directory))] as const)));
  const page = bytes.get('index.html');
  if (page === undefined) throw notBuilt();
  const plain = [...bytes].filter(([name]) => name !== 'index.html' && !Object.values(endings).some((ending) => name.endsWith(ending)));
  const files = plain.map(([name, content]): [string, BuiltFile] => [
    name,
    {
      bytes: content,
      encoded: new Map(
        encodings.flatMap((encoding) => {
          const shorter = bytes.get(`${name}${endings[encoding]}`);
          return shorter === undefined ? [] : [[encoding, shorter] as const];
        }),
      ),
      etag: etagOf(content),
    },
  ]);
  return { page: page.toString('utf8'), files: new Map(files) };
}

async function namesIn(directory: URL): Promise<readonly string[]> {
  try {
    const top = fileURLToPath(directory);
    const entries = await readdir(top, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(top, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notBuilt();
    throw error;
  }
}

function notBuilt(): ArtifactstoreError {
  return new ArtifactstoreError('route_not_found', 'The console was not built here: `npm run prepare` in the clone builds it.');
}

export function etagOf(bytes: Uint8Array | string): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
}
