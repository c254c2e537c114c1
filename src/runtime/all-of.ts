/** Waits until all of the work has settled, also where some of it fails; throws what failed first in the list. */
export async function allOf(work: readonly unknown[]): Promise<void> {
  for (const settled of await Promise.allSettled(work)) if (settled.status === 'rejected') throw settled.reason;
}
