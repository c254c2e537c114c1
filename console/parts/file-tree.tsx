import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { formatCount, shortAddress } from '../format.ts';
import { strings } from '../strings.ts';
import { type ListedFile, parentOf, type Row } from '../tree.ts';
import { Icon } from './icon.tsx';
import { Size } from './values.tsx';

/** Of a line, in rem: `tree.css` says the same. */
const rowRem = 2.125;
/** Drawn beyond what is seen, so that scrolling shows no gap. */
const beyond = 12;

/**
 * A tree of any length: only the lines that are seen are drawn. The keyboard moves in it as in any tree (WAI-ARIA
 * Authoring Practices): arrows, Home, End, Enter.
 */
export function FileTree({
  rows,
  isOpen,
  toggle,
  open,
  hrefOf,
  label,
}: {
  readonly rows: readonly Row[];
  readonly isOpen: (path: string) => boolean;
  readonly toggle: (path: string) => void;
  readonly open: (file: ListedFile) => void;
  readonly hrefOf: (file: ListedFile) => string;
  readonly label: string;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const height = rowRem * rootFont();
  const first = useSignal(0);
  const shown = useSignal(40);
  const active = useSignal(0);
  const at = Math.min(active.value, rows.length - 1);

  const look = (): void => {
    const element = frame.current;
    if (element === null) return;
    const from = Math.max(0, Math.floor(element.scrollTop / height) - beyond);
    // By steps, so that most scrolling draws nothing.
    first.value = from - (from % 8);
    shown.value = Math.ceil(element.clientHeight / height) + 2 * beyond + 8;
  };
  useEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(look, [rows.length]);

  const goTo = (index: number): void => {
    const to = Math.max(0, Math.min(index, rows.length - 1));
    active.value = to;
    const element = frame.current;
    if (element === null) return;
    const top = to * height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
    look();
  };
  const onKey = (event: KeyboardEvent): void => {
    const row = rows[at];
    if (row === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? 0) / height) - 1);
    const { folder, file } = row;
    const opened = folder !== undefined && isOpen(folder.path);
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => goTo(at + 1),
      ArrowUp: () => goTo(at - 1),
      PageDown: () => goTo(at + page),
      PageUp: () => goTo(at - page),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowRight: () => (folder === undefined ? undefined : opened ? goTo(at + 1) : toggle(folder.path)),
      ArrowLeft: () => (folder !== undefined && opened ? toggle(folder.path) : goTo(Math.max(parentOf(rows, at), 0))),
      Enter: () => (file === undefined ? toggle(folder!.path) : open(file)),
      ' ': () => (folder === undefined ? undefined : toggle(folder.path)),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  const visible = rows.slice(first.value, first.value + shown.value);
  return (
    <div
      ref={frame}
      id="files"
      class="tree"
      role="tree"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={rows.length === 0 ? undefined : `row-${at}`}
      onScroll={look}
      onKeyDown={onKey}
      style={{ height: `min(70vh, ${rows.length * height + 2}px)` }}
    >
      <div role="presentation" style={{ height: `${rows.length * height}px` }}>
        <div role="presentation" class="tree-window" style={{ transform: `translateY(${first.value * height}px)` }}>
          {visible.map((row, offset) => {
            const index = first.value + offset;
            return (
              <TreeRow
                key={index}
                row={row}
                index={index}
                isActive={index === at}
                isOpen={row.folder !== undefined && isOpen(row.folder.path)}
                press={() => {
                  active.value = index;
                  if (row.folder !== undefined) toggle(row.folder.path);
                }}
                href={row.file === undefined ? undefined : hrefOf(row.file)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function TreeRow({
  row,
  index,
  isActive,
  isOpen,
  press,
  href,
}: {
  readonly row: Row;
  readonly index: number;
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly press: () => void;
  readonly href: string | undefined;
}) {
  const { folder, file, depth, name } = row;
  return (
    // The keyboard is the tree's.
    <div
      id={`row-${index}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={isActive}
      {...(folder === undefined ? {} : { 'aria-expanded': isOpen })}
      class={isActive ? 'tree-row tree-row-active' : 'tree-row'}
      onClick={press}
      onKeyDown={undefined}
    >
      <span class="tree-name" style={{ paddingLeft: `${depth * 1.25}rem` }}>
        {folder === undefined ? <span class="tree-mark" /> : <Icon name={isOpen ? 'opened' : 'closed'} />}
        {href === undefined ? (
          <span class="path">{printable(name)}/</span>
        ) : (
          <a class="path" href={href} tabIndex={-1}>
            {printable(name)}
          </a>
        )}
        <Damage {...row} />
      </span>
      <span class="tree-type quiet">
        {folder === undefined ? file?.media_type : strings.package.filesIn(folder.files, formatCount(folder.files))}
      </span>
      <span class="tree-size right">
        <Size bytes={folder?.bytes ?? file?.size_bytes ?? 0} inList />
      </span>
      <code class="tree-digest quiet">{file === undefined ? '' : shortAddress(file.digest_sha256)}</code>
    </div>
  );
}

/** Its words are out of sight where a path would have no room beside them. */
function Damage({ folder, file }: Row) {
  const count = folder?.damaged ?? (file?.damaged === true ? 1 : 0);
  if (count === 0) return null;
  return (
    <span class="tree-damage judged judged-bad">
      <Icon name="warning" />{' '}
      <span>{folder === undefined ? strings.package.damaged : strings.package.damagedWithin(formatCount(count))}</span>
    </span>
  );
}

function rootFont(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
