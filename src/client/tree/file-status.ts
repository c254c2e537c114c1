import type { BigIntStats } from 'node:fs';

/** What the system says of a file, by which a change of its bytes is known without reading them. */
export interface FileStatus {
  readonly device: bigint;
  readonly inode: bigint;
  /** Nanoseconds since the epoch, as far as the file system has them; anybody who may write the file can set it. */
  readonly modifiedNanoseconds: bigint;
  /** The same for any change, of bytes, mode, owner, name or times (`ctime`): the system alone sets it. */
  readonly changedNanoseconds: bigint;
}

export function fileStatus({ dev, ino, mtimeNs, ctimeNs }: BigIntStats): FileStatus {
  return { device: dev, inode: ino, modifiedNanoseconds: mtimeNs, changedNanoseconds: ctimeNs };
}

export function isSameStatus(left: FileStatus, right: FileStatus): boolean {
  return (
    left.changedNanoseconds === right.changedNanoseconds &&
    left.modifiedNanoseconds === right.modifiedNanoseconds &&
    left.inode === right.inode &&
    left.device === right.device
  );
}
