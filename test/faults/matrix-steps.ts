import type { EventType } from '../../src/kernel/log/event.ts';
import type { Phase } from './matrix-worker.ts';

export const faults = ['SIGKILL', 'ENOSPC', 'EIO', 'power loss'] as const;
export type Fault = (typeof faults)[number];

/** A step that makes something durable, as the system call that does it. */
export interface Step {
  readonly title: string;
  readonly phase: Phase;
  /** Absent where the worker dies of its own accord. */
  readonly calls?: string;
  /** Which files' calls count; every file's where absent. */
  readonly on?: 'drafts' | 'objects' | 'artifactstore.db' | 'artifactstore.db-wal';
  /** Which of the calls, counted by thread, from 1: a run for each. */
  readonly nth: readonly number[];
  /** Clean-up behind the answer, or what can be done later: nobody needs to hear of its failure. */
  readonly behind?: boolean;
  /** What is on the disk that loses its power; the other is on one that does not, whose fsyncs carry nothing over. */
  readonly part: 'database' | 'storage';
  /**
   * The event that the first of them makes durable, which says that the step is the one it is called: after a loss of
   * power it is not in the log; after a kill it is, as it was written before the fsync.
   */
  readonly event?: EventType;
  /** How much of what was held is still held when the worker was killed, and when the part has lost its power. */
  readonly held?: { readonly killed: 'all' | 'nothing'; readonly unpowered: 'all' | 'nothing' };
  /** All of them where absent. */
  readonly faults?: readonly Fault[];
}

const log = 'artifactstore.db-wal';
/** The first fsync of a write-ahead log that starts anew is its header's. */
const commit = { calls: 'fsync,fdatasync', on: log, part: 'database' } as const;
const kept = { killed: 'all', unpowered: 'all' } as const;
const put = { phase: 'settle', on: 'drafts', part: 'storage', held: kept } as const;
export const steps: readonly Step[] = [
  { title: 'the creation of a draft', phase: 'ingest', calls: 'openat', on: 'drafts', nth: [9], part: 'storage' },
  { title: 'the write of a draft', phase: 'ingest', calls: 'write', on: 'drafts', nth: [2, 9], part: 'storage' },
  { title: 'the fsync of a draft', phase: 'ingest', calls: 'fsync,fdatasync', on: 'drafts', nth: [2, 9], part: 'storage' },
  { title: 'the making of a folder', phase: 'ingest', calls: '/^mkdir', nth: [10], part: 'storage' },
  { title: 'the fsync of a folder', phase: 'ingest', calls: 'fsync', nth: [4, 12], part: 'storage' },
  { title: 'the link that publishes', phase: 'ingest', calls: '/^link', on: 'drafts', nth: [2, 9], part: 'storage' },
  { title: 'the discarding of a draft', phase: 'ingest', calls: '/^unlink', on: 'drafts', nth: [8], behind: true, part: 'storage' },
  { title: 'the write of an event', phase: 'ingest', calls: 'pwrite64', on: log, nth: [60, 250], part: 'database' },
  { title: 'the commit of an event', phase: 'ingest', ...commit, nth: [2, 11] },
  {
    title: 'the write of a checkpoint',
    phase: 'ingest',
    calls: 'pwrite64',
    on: 'artifactstore.db',
    nth: [1, 5],
    behind: true,
    part: 'database',
  },
  {
    title: 'the fsync of a checkpoint',
    phase: 'ingest',
    calls: 'fsync,fdatasync',
    on: 'artifactstore.db',
    nth: [1],
    behind: true,
    part: 'database',
  },
  { title: 'the commit of a sweep', phase: 'collect', ...commit, nth: [2], event: 'v1.retention.marked_eligible' },
  { title: 'the commit that notes a run', phase: 'collect', ...commit, nth: [3], behind: true },
  { title: 'the commit of a collection', phase: 'collect', ...commit, nth: [4], event: 'v1.package.garbage_collected' },
  { title: 'the commit of the release of locations', phase: 'collect', ...commit, nth: [5], event: 'v1.storage.location_deleted' },
  { title: 'the commit that forgets dead keys', phase: 'collect', ...commit, nth: [6] },
  { title: 'the deletion of bytes', phase: 'collect', calls: '/^unlink', on: 'objects', nth: [1, 5], part: 'storage' },
  { title: 'the removal of an old draft', phase: 'collect', calls: '/^unlink', on: 'drafts', nth: [1], part: 'storage' },
  { title: 'the commit of a verification', phase: 'verify', ...commit, nth: [2, 3], event: 'v1.storage.location_verified' },
  { title: 'the write of held bytes', phase: 'hold', calls: 'pwrite64', on: log, nth: [100, 300], part: 'database' },
  { title: 'the commit of held bytes', phase: 'hold', ...commit, nth: [5, 9] },
  {
    title: 'after the commit of held bytes',
    phase: 'fill',
    nth: [1],
    part: 'database',
    held: kept,
    faults: ['SIGKILL', 'power loss'],
  },
  { title: 'the creation of a draft that settles', ...put, calls: 'openat', nth: [1, 9] },
  { title: 'the write of a draft that settles', ...put, calls: 'write', nth: [1, 9] },
  { title: 'the fsync of a draft that settles', ...put, calls: 'fsync,fdatasync', nth: [1, 9] },
  { title: 'the rename that settles', ...put, calls: '/^rename', nth: [1, 9] },
  { title: 'the fsync of a folder that settles', phase: 'settle', calls: 'fsync', nth: [5, 20], part: 'storage', held: kept },
  {
    title: 'the commit that forgets what is settled',
    phase: 'settle',
    ...commit,
    nth: [3],
    held: { killed: 'nothing', unpowered: 'all' },
  },
  {
    title: 'the same commit, beside a storage without power',
    phase: 'settle',
    ...commit,
    nth: [3],
    part: 'storage',
    held: { killed: 'nothing', unpowered: 'nothing' },
    faults: ['power loss'],
  },
];
