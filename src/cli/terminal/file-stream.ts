import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';

/**
 * A standard stream of this process. Where it goes to a file, Node's own stream takes a write that was cut short by a
 * full disk for a whole one; this one writes all of it or fails.
 */
export function standardStream(stream: NodeJS.WriteStream, descriptor: 1 | 2): NodeJS.WriteStream {
  return goesToFile(descriptor) ? (fileStream(descriptor) as NodeJS.WriteStream) : stream;
}

function goesToFile(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() || (stat.isCharacterDevice() && !isatty(descriptor));
  } catch {
    return false;
  }
}

/** Writes at once, like Node's: what was said before a crash is in the file. */
export function fileStream(descriptor: number): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
