import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Package } from '../api/records.ts';
import { asProblem } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { Section } from '../parts/page.tsx';
import { may, session } from '../session.ts';
import { upload as text } from '../strings/upload.ts';
import { addFiles, batchesChanged, batchOf } from './batch.ts';
import { BatchShown } from './batch-shown.tsx';
import { Interrupted } from './interrupted.tsx';
import { isOpen, isStored } from './item.ts';
import { OfAnother } from './of-another.tsx';
import { bothRead, type Read, readDrop, readInput } from './read-chosen.ts';
import { Staged } from './staged.tsx';

/** Whether this person may add files to it, as it is now. */
export function takesFiles({ status, producer }: Package): boolean {
  return status === 'created' && may('write', producer);
}

/** Files on their way into a package, and the place for more of them where it is open for this person. */
export function AddFiles({ record }: { readonly record: Package }) {
  batchesChanged.value;
  const batch = batchOf(record.id);
  const takes = takesFiles(record);
  const frame = useRef<HTMLDivElement>(null);
  if (!takes && batch === undefined) return null;
  const { actor = '' } = session.value.who ?? {};
  if (batch !== undefined && batch.owner.value !== actor)
    return (
      <Section title={text.titleAdded}>
        <OfAnother batch={batch} actor={actor} takes={takes} />
      </Section>
    );
  return (
    <Section title={takes ? text.title : text.titleAdded}>
      {/* The button that was pressed is gone: the keyboard continues with what has begun. */}
      {takes ? <Take key={actor} record={record} begun={() => setTimeout(() => frame.current?.focus())} /> : null}
      {batch !== undefined ? (
        <BatchShown batch={batch} isOpen={takes} frame={frame} />
      ) : takes ? (
        // What was looked for by one person is never shown to the next.
        <Interrupted key={`${record.id} ${actor}`} packageId={record.id} />
      ) : null}
    </Section>
  );
}

/** Takes files and folders: by a drop anywhere on the page, or by a choice. */
function Take({ record, begun }: { readonly record: Package; begun(): void }) {
  const staged = useSignal<Read | undefined>(undefined);
  const reading = useSignal<number | undefined>(undefined);
  const failed = useSignal<string | undefined>(undefined);
  const over = useSignal(false);
  const files = useRef<HTMLInputElement>(null);
  const chooser = useRef<HTMLButtonElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const take = async (read: Read | Promise<Read>): Promise<void> => {
    failed.value = undefined;
    try {
      const found = await read;
      const before = staged.peek();
      staged.value = before === undefined ? found : bothRead(before, found);
    } catch (error) {
      failed.value = asProblem(error).message;
    } finally {
      reading.value = undefined;
    }
  };

  // Also beside the place for it, and with the first picture of it: a browser would otherwise leave the page and open
  // the file.
  useLayoutEffect(() => {
    // It has no attribute in HTML yet, and so no property in JSX.
    folder.current!.webkitdirectory = true;
    const controller = new AbortController();
    const { signal } = controller;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
    addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        over.value = true;
      },
      { signal },
    );
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) over.value = false;
      },
      { signal },
    );
    addEventListener(
      'drop',
      (event) => {
        over.value = false;
        if (!hasFiles(event) || event.dataTransfer === null) return;
        event.preventDefault();
        reading.value = 0;
        void take(
          readDrop(event.dataTransfer, (count) => {
            reading.value = count;
          }),
        );
      },
      { signal },
    );
    return () => controller.abort();
  }, []);

  const choose = (input: HTMLInputElement): void => {
    if (input.files !== null && input.files.length > 0) void take(readInput(input.files));
    // The same again is a choice too.
    input.value = '';
  };
  const { value: chosen } = staged;
  const items = chosen === undefined ? [] : (batchOf(record.id)?.items ?? []);
  const storedPaths = new Set(items.filter(isStored).map(({ path }) => path));
  const openPaths = new Set(items.filter(isOpen).map(({ path }) => path));
  return (
    <>
      <div class={over.value ? 'drop drop-over' : 'drop'}>
        <Icon name="upload" />
        <p class="drop-lead">{reading.value === undefined ? text.lead : text.reading(formatCount(reading.value))}</p>
        <div class="buttons">
          <button ref={chooser} type="button" class="button" onClick={() => files.current?.click()}>
            {text.chooseFiles}
          </button>
          <button type="button" class="button" onClick={() => folder.current?.click()}>
            {text.chooseFolder}
          </button>
        </div>
        <p class="quiet">{text.leadMore}</p>
        <input ref={files} type="file" multiple hidden aria-label={text.chooseFiles} onChange={(event) => choose(event.currentTarget)} />
        <input ref={folder} type="file" hidden aria-label={text.chooseFolder} onChange={(event) => choose(event.currentTarget)} />
      </div>
      {failed.value === undefined ? null : (
        <p class="problem" role="alert">
          {failed.value}
        </p>
      )}
      {chosen === undefined ? null : (
        <Staged
          read={chosen}
          isStored={(path) => storedPaths.has(path)}
          isOnItsWay={(path) => openPaths.has(path)}
          start={(placed) => {
            staged.value = undefined;
            addFiles(record.id, placed);
            begun();
          }}
          leaveOut={(indexes) => {
            staged.value = { ...chosen, files: chosen.files.filter((_, index) => !indexes.has(index)) };
          }}
          discard={() => {
            staged.value = undefined;
            chooser.current?.focus();
          }}
        />
      )}
    </>
  );
}
