import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** About a third of the processor's time beside one thread that does not give way (sched(7), the nice value). */
const niceness = 5;

/**
 * Has this thread, and no other of its process, give way where the processor is scarce. Linux alone has a priority for
 * each thread (setpriority(2), NOTES); elsewhere, and where /proc is not there, nothing changes.
 */
export function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), Math.min(getPriority() + niceness, 19));
  } catch {
    // It works as it does, beside the others.
  }
}
