import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundleFormat } from '../../src/bundle/manifest.ts';

/** A directory of its own for artifacts and manifests. */
export interface BundleFolder extends Disposable {
  readonly directory: string;
  path(...parts: readonly string[]): string;
  /** Files by path. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  /** Writes the files, and a manifest `file` that names them. */
  bundle(files: Readonly<Record<string, string | Uint8Array>>, more?: Readonly<Record<string, unknown>>, file?: string): void;
}

export function openBundleFolder(): BundleFolder {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-bundle-'));
  const write: BundleFolder['write'] = (files) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), content);
    }
  };
  return {
    directory,
    path: (...parts) => join(directory, ...parts),
    write,
    bundle(files, more = {}, file = 'bundle.json') {
      write({ ...files, [file]: JSON.stringify(manifestOf(files, more)) });
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The manifest of a bundle of these files. */
export function manifestOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const artifacts = Object.entries(files).map(([name, content]) => {
    return { name, sha256: sha256Of(content), size_bytes: Buffer.byteLength(content) };
  });
  return { format: bundleFormat, name: 'gamma', artifacts, ...more };
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
