import { printable } from '../../src/kernel/format/printable.ts';
import { formatBytes, formatCount, formatExact } from '../format.ts';
import { upload as text } from '../strings/upload.ts';
import type { Chosen } from './paths.ts';

const shownClashes = 4;

/** Files that were chosen for one path and differ, so that a person says which of them is meant. */
export function Clashes({
  clashes,
  files,
  leaveOut,
}: {
  /** By path: where in `files` they are, in the order in which they were chosen. */
  readonly clashes: ReadonlyMap<string, readonly number[]>;
  readonly files: readonly Chosen<File>[];
  leaveOut(indexes: ReadonlySet<number>): void;
}) {
  if (clashes.size === 0) return null;
  const all = [...clashes.values()];
  return (
    <div class="clashes">
      <p class="problem" role="alert">
        {text.clashes(clashes.size, formatCount(clashes.size))}
      </p>
      <ul>
        {[...clashes].slice(0, shownClashes).flatMap(([path, indexes]) =>
          indexes.map((index) => {
            const { file } = files[index]!;
            const which = text.clashing(printable(path), formatBytes(file.size), formatExact(file.lastModified));
            return (
              <li key={index}>
                <span class="path">{which}</span>
                <button
                  type="button"
                  class="button button-quiet"
                  aria-label={text.leaveOutOf(which)}
                  onClick={() => leaveOut(new Set([index]))}
                >
                  {text.leaveOut}
                </button>
              </li>
            );
          }),
        )}
        {clashes.size <= shownClashes ? null : <li class="quiet">{text.andMorePaths(formatCount(clashes.size - shownClashes))}</li>}
      </ul>
      <div class="buttons">
        <button type="button" class="button" onClick={() => leaveOut(new Set(all.flatMap((indexes) => indexes.slice(0, -1))))}>
          {text.keepLast}
        </button>
        <button type="button" class="button" onClick={() => leaveOut(new Set(all.flatMap((indexes) => indexes.slice(1))))}>
          {text.keepFirst}
        </button>
      </div>
    </div>
  );
}
