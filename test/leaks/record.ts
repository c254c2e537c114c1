import { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/**
 * Loaded into every process of a suite (`--import`), also into those that the suite starts: writes down each value that
 * became a `Secret`, and what could be seen of it: all that was written to standard output and standard error, its
 * command line, those of what it starts, and the folders that it made. `leaks.heavy.ts` compares the two.
 */
const folder = process.env.LEAK_RECORD_DIRECTORY;
if (folder !== undefined) record(folder);

function record(directory: string): void {
  const { readFileSync, writeSync: writeNow } = fs;
  // Open from the beginning: a test may become another user.
  const opened = new Map(['values', 'argv', 'output'].map((name) => [name, fs.openSync(join(directory, name), 'a', 0o600)]));
  const add = (name: string, text: string | Uint8Array): void => void writeNow(opened.get(name)!, Buffer.from(text));
  const known = new Set<string>();
  Object.assign(globalThis, {
    __secretWasMade(text: string) {
      if (known.has(text)) return;
      known.add(text);
      add('values', `${JSON.stringify(text)}\n`);
    },
  });
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith('/secrets/secret.ts')) return loaded;
      const source = String(loaded.source);
      const marked = source.replace('return Object.freeze({', '(globalThis as any).__secretWasMade(text);\n  return Object.freeze({');
      if (marked === source) throw new Error('secret.ts is not what it was: look at test/leaks/record.ts');
      return { ...loaded, source: marked };
    },
  });
  add('argv', readFileSync('/proc/self/cmdline'));
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      add('output', chunk);
      return write(chunk, ...rest);
    };
  }
  const { mkdtempSync, rmSync, write, writeSync } = fs;
  const isOutput = (descriptor: number): boolean => descriptor === 1 || descriptor === 2;
  fs.writeSync = ((descriptor: number, ...rest: [Uint8Array]) => {
    if (isOutput(descriptor)) add('output', rest[0]);
    return writeSync(descriptor, ...rest);
  }) as typeof writeSync;
  fs.write = ((descriptor: number, ...rest: [Uint8Array, never]) => {
    if (isOutput(descriptor)) add('output', rest[0]);
    write(descriptor, ...rest);
  }) as typeof write;
  // What a test would remove at its end stays, so that it can be looked at.
  const made = new Set<unknown>();
  fs.mkdtempSync = ((...args: Parameters<typeof mkdtempSync>) => {
    const path = mkdtempSync(...args);
    made.add(path);
    return path;
  }) as typeof mkdtempSync;
  fs.rmSync = (path, options) => {
    if (!made.has(path)) rmSync(path, options);
  };
  syncBuiltinESMExports();
  const started = ChildProcess.prototype as unknown as { spawn(options: { args?: string[] }): unknown };
  const spawn = started.spawn;
  started.spawn = function (this: ChildProcess, options) {
    add('argv', `${(options.args ?? []).join('\0')}\0`);
    return spawn.call(this, options);
  };
}
