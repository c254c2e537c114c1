import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const keyFileNames = ['access', 'secret', 'token'] as const;
export type KeyFileName = (typeof keyFileNames)[number];

/** A directory of its own with one file for each part of the keys, as a sidecar would keep it. */
export interface KeyFiles extends Disposable {
  readonly directory: string;
  path(name: KeyFileName): string;
  /** Writes the value of a generation and a newline, by another file's name or in place. */
  write(name: KeyFileName, generation: number, how?: 'rename' | 'in place'): void;
  remove(name: KeyFileName): void;
}

export function keyFiles(): KeyFiles {
  const directory = mkdtempSync(join(tmpdir(), 'key-files-'));
  const path = (name: KeyFileName): string => join(directory, name);
  return {
    directory,
    path,
    write(name, generation, how = 'rename') {
      const target = how === 'rename' ? join(directory, 'next') : path(name);
      writeFileSync(target, `${valueOfPart(name, generation)}\n`, { mode: 0o600 });
      if (how === 'rename') renameSync(target, path(name));
    },
    remove: (name) => rmSync(path(name), { force: true }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Of the same length in every generation, as real keys are. */
export function valueOfPart(name: KeyFileName, generation: number): string {
  return `${name.toUpperCase()}/${String(generation).padStart(4, '0')}+`;
}
