import { locked } from '../operations/uploads/uploads.ts';
import type { WriterPolicy } from '../REGISTRY.ts';

/** Who writes to uploads in this process: one at a time for each. Other processes are told apart by the database. */
export interface UploadWriters {
  /** This process, among those that share a database. */
  readonly holder: string;
  /**
   * Becomes the writer, where another is, when that has ended. One that makes the file of the upload (`finishing`) is
   * waited for, since the next could only do the same again. Errors: `upload_locked`, but not for one that is quiet:
   * its client may be gone and its connection not know it.
   */
  enter(id: string, policy: WriterPolicy, finishing: boolean): Promise<Writer>;
  /** Ends the writer, where there is one that adds bytes: what came is durable and counts when this resolves. */
  end(id: string): Promise<void>;
  /** Whether the file is being made in this process. */
  isFinishing(id: string): boolean;
  /** Whether so many bytes of a body may be in memory, until `giveMemory`. */
  takeMemory(bytes: number): boolean;
  giveMemory(bytes: number): void;
}

export interface Writer {
  /** Aborted when another takes its place. */
  readonly signal: AbortSignal;
  /** Passes the bytes on, and notes how long it waits for them. */
  watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Whether it has waited long for its client. */
  isQuiet(): boolean;
  leave(): void;
}

/** A writer that hangs is waited for so long: what it says later does not count any more. */
const waitMilliseconds = 5_000;
const quietMilliseconds = 5_000;
/** Of all short bodies that are read whole. */
const memoryBytes = 16_777_216;

interface Entered extends Writer {
  readonly finishing: boolean;
  stop(): void;
  readonly left: Promise<void>;
}

export function createUploadWriters(
  holder: string,
  { quiet = quietMilliseconds, uptime = () => performance.now() }: { readonly quiet?: number; readonly uptime?: () => number } = {},
): UploadWriters {
  const writing = new Map<string, Entered>();
  let memory = memoryBytes;

  async function end(id: string): Promise<void> {
    for (let other = writing.get(id); other?.finishing === false; other = writing.get(id)) {
      other.stop();
      if (await leavesInTime(other.left)) continue;
      if (writing.get(id) === other) writing.delete(id);
    }
  }

  return {
    holder,
    end,
    takeMemory(bytes) {
      if (bytes > memory) return false;
      memory -= bytes;
      return true;
    },
    giveMemory(bytes) {
      memory += bytes;
    },
    isFinishing: (id) => writing.get(id)?.finishing === true,
    async enter(id, policy, finishing) {
      if (policy === 'locked' && writing.get(id)?.isQuiet() === false) throw locked(id);
      for (let other = writing.get(id); other !== undefined; other = writing.get(id)) await (other.finishing ? other.left : end(id));
      const stopping = new AbortController();
      const { promise: left, resolve } = Promise.withResolvers<void>();
      let waitsSince: number | undefined;
      const entered: Entered = {
        finishing,
        signal: stopping.signal,
        stop: () => stopping.abort(),
        left,
        isQuiet: () => waitsSince !== undefined && uptime() - waitsSince >= quiet,
        async *watch(body) {
          waitsSince = uptime();
          try {
            for await (const chunk of body) {
              waitsSince = undefined;
              yield chunk;
              waitsSince = uptime();
            }
          } finally {
            waitsSince = undefined;
          }
        },
        leave() {
          if (writing.get(id) === entered) writing.delete(id);
          resolve();
        },
      };
      writing.set(id, entered);
      return entered;
    },
  };
}

async function leavesInTime(left: Promise<void>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), waitMilliseconds);
  try {
    return await Promise.race([left.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}
