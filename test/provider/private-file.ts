import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directorySecrets } from '../../src/secrets/directory.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';

/** A folder that is its user's alone. */
export interface PrivateFolder extends Disposable {
  readonly path: string;
  write(name: string, text: string | Uint8Array, mode?: number): string;
  /** A store of secrets in a folder of its own below it. */
  readonly secrets: Secrets;
}

export function openPrivateFolder(): PrivateFolder {
  const path = mkdtempSync(join(tmpdir(), 'artifactstore-provider-'));
  const store = mkdtempSync(join(path, 'store-'));
  return {
    path,
    secrets: directorySecrets(store, { mayBeEmpty: true }),
    write(name, text, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, text, { mode });
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
