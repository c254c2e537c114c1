import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { formatBytes, formatCount } from '../format.ts';
import { upload as text } from '../strings/upload.ts';
import { Clashes } from './clashes.tsx';
import { clashesOf, placed, topFolder } from './paths.ts';
import type { Read } from './read-chosen.ts';

const shownPaths = 4;

export function filesText(count: number): string {
  return count === 1 ? text.oneFile : text.files(formatCount(count));
}

/** What was dropped, before it is added: nothing that is added can be taken away again. */
export function Staged({
  read: { files, emptyFolders, unreadable },
  isStored,
  isOnItsWay,
  start,
  leaveOut,
  discard,
}: {
  readonly read: Read;
  /** Whether this page has stored a file at this path of the package. */
  isStored(path: string): boolean;
  /** Whether it is sending one there now. */
  isOnItsWay(path: string): boolean;
  start(files: Read['files']): void;
  /** By their places in what was read. */
  leaveOut(indexes: ReadonlySet<number>): void;
  discard(): void;
}) {
  const below = useSignal('');
  const withoutTop = useSignal(false);
  const heading = useRef<HTMLParagraphElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const top = topFolder(files.map(({ path }) => path));
  const paths = files.map(({ path }) => placed(path, { below: below.value, withoutTop: withoutTop.value && top !== undefined }));
  const clashes = clashesOf(paths);
  const storedBefore = paths.filter(isStored).length;
  const onTheirWay = paths.filter(isOnItsWay).length;
  const chosenAgain = files.filter(({ again }) => again !== undefined).length;
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <form
      class="staged"
      onSubmit={(event) => {
        event.preventDefault();
        if (clashes.size === 0) start(files.map((each, index) => ({ ...each, path: paths[index]! })));
      }}
    >
      <p ref={heading} tabIndex={-1} class="staged-title" role="status">
        {(clashes.size === 0 ? text.staged : text.stagedClashing)(filesText(files.length), formatBytes(size))}
      </p>
      {storedBefore === 0 ? null : (
        <p class="quiet" role="status">
          {text.storedBefore(storedBefore, paths.length, formatCount(storedBefore))}
        </p>
      )}
      {onTheirWay === 0 ? null : (
        <p class="quiet" role="status">
          {text.sentNow(onTheirWay, paths.length, formatCount(onTheirWay))}
        </p>
      )}
      {chosenAgain === 0 ? null : (
        <p class="quiet" role="status">
          {text.chosenAgain(chosenAgain, files.length, formatCount(chosenAgain))}
        </p>
      )}
      {emptyFolders.length === 0 ? null : <p class="quiet">{text.emptyFolders(emptyFolders.length, formatCount(emptyFolders.length))}</p>}
      {unreadable.slice(0, shownPaths).map(({ path }) => (
        <p key={path} class="problem">
          {text.unreadable(path)}
        </p>
      ))}
      {unreadable.length <= shownPaths ? null : <p class="problem">{text.andMore(formatCount(unreadable.length - shownPaths))}</p>}
      <Clashes
        clashes={clashes}
        files={files}
        leaveOut={(indexes) => {
          leaveOut(indexes);
          // The button that was pressed is gone.
          heading.current?.focus();
        }}
      />
      {files.length === 0 ? null : (
        <>
          {top === undefined ? null : (
            <label class="choice">
              <input
                type="checkbox"
                checked={withoutTop.value}
                onChange={(event) => {
                  withoutTop.value = event.currentTarget.checked;
                }}
              />
              <span>{text.withoutTop(top)}</span>
            </label>
          )}
          <label class="field">
            <span>{text.below}</span>
            <input
              type="text"
              value={below.value}
              onInput={(event) => {
                below.value = event.currentTarget.value;
              }}
              placeholder={text.belowHint}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
          <div class="staged-paths">
            <span class="quiet">{text.firstPaths}</span>
            <ul>
              {paths.slice(0, shownPaths).map((path, index) => (
                <li key={`${index} ${path}`}>
                  <span class="path">{printable(path)}</span>
                </li>
              ))}
              {paths.length <= shownPaths ? null : <li class="quiet">{text.andMore(formatCount(paths.length - shownPaths))}</li>}
            </ul>
          </div>
        </>
      )}
      <div class="buttons">
        {files.length === 0 || clashes.size > 0 ? null : (
          <button type="submit" class="button button-main">
            {text.start(filesText(files.length))}
          </button>
        )}
        <button type="button" class="button" onClick={discard}>
          {text.discard}
        </button>
      </div>
    </form>
  );
}
