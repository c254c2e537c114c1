/**
 * Gives the memory of a chunk back to the system; nobody may look at it any more. Left to the garbage collector, the
 * chunks of a long body make it go over everything else again and again, for more time than the hashing takes. A chunk
 * that may share its memory with others is left alone.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= ownMemoryBytes && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Smaller ones are cut from memory that is shared. */
const ownMemoryBytes = 16_384;
