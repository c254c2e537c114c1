import type { Ref } from 'preact';
import { useEffect } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { connected } from '../connection.ts';
import { formatBytes, formatCount } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { Table } from '../parts/table.tsx';
import { Size } from '../parts/values.tsx';
import { upload as text } from '../strings/upload.ts';
import type { Batch } from './batch.ts';
import { acknowledged, type Item, isOnItsWay, isStored } from './item.ts';
import { filesText } from './staged.tsx';

const shownItems = 100;

/** How far it is: in all, and of each file. `isOpen`: its package takes files of this person. */
export function BatchShown({
  batch,
  isOpen,
  frame,
}: {
  readonly batch: Batch;
  readonly isOpen: boolean;
  readonly frame: Ref<HTMLDivElement>;
}) {
  // Its items change in place.
  batch.version.value;
  const { items } = batch;
  const stored = items.filter(isStored).length;
  const refused = items.filter(({ state }) => state === 'refused').length;
  const isOver = stored + refused === items.length;
  const total = items.reduce((sum, { file }) => sum + file.size, 0);
  const done = items.reduce((sum, item) => sum + acknowledged(item), 0);
  const paused = batch.paused.value && !isOver;
  // Once it has been seen that all is stored, the list is of no more use.
  useEffect(
    () => () => {
      if (batch.items.every(isStored)) batch.stop();
    },
    [batch],
  );
  return (
    <div ref={frame} class="batch" tabIndex={-1}>
      {isOver ? (
        <div class={refused === 0 ? 'verdict verdict-good' : 'verdict verdict-bad'} role="status">
          <Icon name={refused === 0 ? 'done' : 'warning'} />
          <p class="verdict-title">
            {refused > 0
              ? text.ended(filesText(stored), formatCount(refused))
              : stored === 1
                ? text.oneStored
                : text.allStored(filesText(stored))}
          </p>
        </div>
      ) : (
        <>
          <progress class="progress" aria-label={text.progressLabel} max={Math.max(total, 1)} value={total === 0 ? 0 : done} />
          <p class="batch-figures">
            <span>{text.stored(formatCount(stored), formatCount(items.length))}</span>
            <span class="quiet">{text.bytes(formatBytes(done), formatBytes(total))}</span>
            {refused === 0 ? null : <span class="problem">{text.refusedCount(formatCount(refused))}</span>}
          </p>
        </>
      )}
      {isOver && refused === 0 && isOpen ? <p class="quiet">{text.thenSeal}</p> : null}
      <p class="quiet" role="status">
        {paused ? text.pausedNote : batch.asking.value ? text.signInNote : connected.value || isOver ? '' : text.offlineNote}
      </p>
      <div class="buttons">
        {isOver ? null : paused ? (
          <button type="button" class="button button-main" onClick={batch.resume}>
            {text.resume}
          </button>
        ) : (
          <button type="button" class="button" onClick={batch.pause}>
            {text.pause}
          </button>
        )}
        {isOpen && items.some(mayRetry) ? (
          <button type="button" class="button" onClick={() => batch.retry()}>
            {text.retryAll}
          </button>
        ) : null}
        <button type="button" class="button" title={isOver ? undefined : text.stopHint} onClick={batch.stop}>
          {isOver ? text.clear : text.stop}
        </button>
      </div>
      <Items batch={batch} isOpen={isOpen} />
    </div>
  );
}

function Items({ batch, isOpen }: { readonly batch: Batch; readonly isOpen: boolean }) {
  const { items } = batch;
  const shown = first(items, shownItems);
  return (
    <Table
      label={text.listLabel}
      of="batch"
      columns={[text.path, { name: text.size, right: true }, text.state]}
      below={shown.length === items.length ? null : <p class="quiet">{text.shown(formatCount(shown.length), formatCount(items.length))}</p>}
    >
      {shown.map((item) => (
        <tr key={`${item.path} ${item.file.size}`}>
          <td class="wide">
            <span class="path">{printable(item.path)}</span>
          </td>
          <td class="right">
            <Size bytes={item.file.size} inList />
          </td>
          <td class={item.state === 'refused' ? 'wide' : ''}>
            <ItemState item={item} retry={isOpen && mayRetry(item) ? () => batch.retry(item) : undefined} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Whether another attempt can end otherwise. */
function mayRetry({ state, isFinal }: Item): boolean {
  return state === 'refused' && !isFinal;
}

function ItemState({ item, retry }: { readonly item: Item; readonly retry: (() => void) | undefined }) {
  const { state, bytes, file } = item;
  if (state === 'refused')
    return (
      <span class="refused">
        <span class="problem">
          {text.states.refused}: {item.problem}
        </span>{' '}
        {item.code === undefined ? null : <code class="quiet">{item.code}</code>}
        {retry === undefined ? null : (
          <button type="button" class="button button-quiet" aria-label={text.retryOf(item.path)} onClick={retry}>
            {text.retry}
          </button>
        )}
      </span>
    );
  return (
    <span class={`item-${state}`}>
      {isStored(item) ? <Icon name="done" /> : null} {text.states[state]}
      {(state === 'hashing' || state === 'sending') && bytes > 0 ? (
        <span class="quiet"> {text.of(formatBytes(bytes), formatBytes(file.size))}</span>
      ) : null}
    </span>
  );
}

/** Refused ones, those on their way, those that wait, those that are stored. */
function first(items: readonly Item[], count: number): readonly Item[] {
  if (items.length <= count) return items;
  const groups: readonly ((item: Item) => boolean)[] = [
    ({ state }) => state === 'refused',
    isOnItsWay,
    ({ state }) => state === 'waiting',
    isStored,
  ];
  const shown: Item[] = [];
  for (const belongs of groups)
    for (const item of items) {
      if (shown.length === count) return shown;
      if (belongs(item)) shown.push(item);
    }
  return shown;
}
