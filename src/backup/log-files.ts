import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { StoredEvent } from '../kernel/log/event.ts';
import { decodeEventPage } from '../kernel/log/event-page-decoder.ts';
import type { LogCopy } from './BACKUP.ts';
import { backupError, writeDurably } from './durable-file.ts';

interface Segment {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/**
 * The log in `<first>-<last>.cbor` files. Two runs at once may have copied the same events twice: a reader takes each
 * sequence from the first file that has it.
 */
export function openLogFiles(directory: string): LogCopy {
  return {
    async end() {
      return chain(await segments(directory), 0).at(-1)?.last ?? 0;
    },

    async append(bytes, first, last) {
      await writeDurably(join(directory, `${digits(first)}-${digits(last)}.cbor`), [bytes]);
    },

    async *read(after, through) {
      let position = after;
      for (const segment of chain(await segments(directory), after)) {
        if (position >= through) return;
        const from = position;
        const events = (await readSegment(directory, segment)).filter(({ sequence }) => sequence > from && sequence <= through);
        position = events.at(-1)?.sequence ?? position;
        yield events;
      }
      if (position < through)
        throw new ArtifactstoreError('integrity_failure', `The copied log in ${directory} has no event ${position + 1}.`, {
          info: { sequence: position },
        });
    },
  };
}

/** Files that follow each other without a gap, from the one that has the event after `after`. */
function chain(all: readonly Segment[], after: number): readonly Segment[] {
  const chosen: Segment[] = [];
  let position = after;
  for (const segment of all) {
    if (segment.first > position + 1) break;
    if (segment.last <= position) continue;
    chosen.push(segment);
    position = segment.last;
  }
  return chosen;
}

/** By their first sequence. */
async function segments(directory: string): Promise<readonly Segment[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw backupError(error, directory);
  });
  return names
    .flatMap((name) => {
      const match = /^(\d{16})-(\d{16})\.cbor$/.exec(name);
      return match === null ? [] : [{ name, first: Number(match[1]), last: Number(match[2]) }];
    })
    .sort((left, right) => left.first - right.first || left.last - right.last);
}

async function readSegment(directory: string, { name, first, last }: Segment): Promise<readonly StoredEvent[]> {
  const path = join(directory, name);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw backupError(error, path);
  });
  try {
    const events = decodeEventPage(bytes);
    if (events.length === last - first + 1 && events.every(({ sequence }, index) => sequence === first + index)) return events;
    throw damaged(path, 'it does not have the events that its name says');
  } catch (error) {
    if (!isArtifactstoreError(error, 'integrity_failure') || error.info?.file !== undefined) throw error;
    throw damaged(path, error.message);
  }
}

function damaged(path: string, what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The backup's file ${path} is damaged: ${what}`, {
    info: { file: path, hint: 'delete this file and run `artifactstore backup` again: it copies these events again' },
  });
}

function digits(sequence: number): string {
  return String(sequence).padStart(16, '0');
}
