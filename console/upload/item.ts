import { Problem } from '../api/problem.ts';
import { asProblem } from '../api/resource.ts';
import { upload as text } from '../strings/upload.ts';
import { UnreadableFile } from './hash.ts';

export type ItemState = 'waiting' | 'hashing' | 'sending' | 'finishing' | 'stored' | 'existed' | 'refused';

/** A file on its way into a package. It changes in place; `Batch.version` says when. */
export interface Item {
  readonly path: string;
  readonly file: File;
  /** Files that were chosen for the same path and are as long: their bytes have to be the same. */
  readonly again: readonly File[];
  state: ItemState;
  /** Of what it is doing: read here, or acknowledged by the server. */
  bytes: number;
  sha256: string | undefined;
  /** In words, where it was refused. */
  problem: string | undefined;
  code: string | undefined;
  /** Where it was refused: the same would be refused again, whenever it is tried. */
  isFinal: boolean;
}

/** Whether it is still to be stored or refused. */
export function isOpen(item: Item): boolean {
  return item.state === 'waiting' || isOnItsWay(item);
}

export function isOnItsWay({ state }: Item): boolean {
  return state === 'hashing' || state === 'sending' || state === 'finishing';
}

/** Bytes of it that the server has said it has. */
export function acknowledged(item: Item): number {
  return isStored(item) ? item.file.size : item.state === 'sending' || item.state === 'finishing' ? item.bytes : 0;
}

export function isStored({ state }: Item): boolean {
  return state === 'stored' || state === 'existed';
}

/** Said here, before the server is asked: another attempt with the same files would end so too. */
export class NeverAPath extends Problem {
  constructor(detail: string, code = 'invalid_path') {
    super({ code, status: 400, title: '', detail });
  }
}

/** `error`: why, in words of its own or of the server. */
export function refuse(item: Item, error: unknown): void {
  item.state = 'refused';
  item.isFinal = error instanceof NeverAPath;
  if (error instanceof UnreadableFile) {
    item.problem = text.faults.unreadable;
    item.code = undefined;
    return;
  }
  const problem = asProblem(error);
  item.code = problem.code;
  // What a package has at a path stays.
  item.isFinal ||= problem.code === 'path_conflict';
  item.problem =
    problem.code === 'digest_mismatch'
      ? text.faults.changed
      : problem.code === 'upload_superseded'
        ? text.faults.superseded
        : problem.message;
}
