/** The memory for parts, of all puts of a store together. */
export interface PartBuffers {
  /**
   * For one put, of `sizeBytes` where that is known. One part is always its own to have, so that no put keeps another
   * from continuing; more while all puts together have fewer than `sharedParts`, those counted that they may still take
   * as their own.
   */
  open(sizeBytes?: number): PutBuffers;
}

export interface PutBuffers {
  /** Waits for one where need be: at the longest until all that the put has is given back. */
  take(): Promise<Buffer<ArrayBuffer>>;
  /**
   * Memory that a request may still read makes room for other memory, and is not used again. What was not taken here is
   * ignored.
   */
  give(bytes: Buffer, reuse: boolean): void;
  /** Gives up whatever is left. */
  close(): void;
}

export function createPartBuffers(partBytes: number, sharedParts: number): PartBuffers {
  const idle: ArrayBuffer[] = [];
  const idleCount = Math.min(maximumIdle, Math.floor(idleBytes / partBytes));
  const waiting: { readonly mayTake: () => boolean; readonly resolve: () => void }[] = [];
  let taken = 0;
  /** Puts that have none, and may take one at any time. */
  let without = 0;

  /** Two at most, where one was given back: one as the only part of its put, one of those that are shared. */
  function wake(): void {
    for (let next = waiting.findIndex(({ mayTake }) => mayTake()); next >= 0; next = waiting.findIndex(({ mayTake }) => mayTake()))
      waiting.splice(next, 1)[0]!.resolve();
  }

  return {
    open(sizeBytes = partBytes) {
      const held = new Set<ArrayBufferLike>();
      // What is shorter than a part has memory of its own.
      let open = sizeBytes >= partBytes;
      if (open) without += 1;

      function takeNow(): Buffer<ArrayBuffer> {
        if (open && held.size === 0) without -= 1;
        taken += 1;
        const memory = idle.pop() ?? new ArrayBuffer(partBytes);
        held.add(memory);
        return Buffer.from(memory);
      }

      function giveBack(memory: ArrayBufferLike, reuse: boolean): void {
        if (!held.delete(memory)) return;
        taken -= 1;
        if (open && held.size === 0) without += 1;
        if (reuse && idle.length < idleCount) idle.push(memory as ArrayBuffer);
        wake();
      }

      const mayTake = (): boolean => held.size === 0 || taken + without < sharedParts;
      return {
        take: () =>
          mayTake() ? Promise.resolve(takeNow()) : new Promise((resolve) => waiting.push({ mayTake, resolve: () => resolve(takeNow()) })),
        give: ({ buffer }, reuse) => giveBack(buffer, reuse),
        close() {
          if (open && held.size === 0) without -= 1;
          open = false;
          for (const memory of held) giveBack(memory, false);
          wake();
        },
      };
    },
  };
}

/** Enough for a put that is alone; the memory of more goes back to the system, and so does that of very large parts. */
const maximumIdle = 5;
const idleBytes = 67_108_864;
