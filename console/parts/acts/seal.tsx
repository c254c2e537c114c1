import { useSignal } from '@preact/signals';
import { callJson, segments } from '../../api/call.ts';
import type { File, Package, Page } from '../../api/records.ts';
import { formatBytes, formatCount } from '../../format.ts';
import { acts as text } from '../../strings/acts.ts';
import { batchesChanged, batchOf } from '../../upload/batch.ts';
import { hashTexts } from '../../upload/hash.ts';
import { isOpen } from '../../upload/item.ts';
import { runningBatch } from '../../upload/running.ts';
import { ActDialog } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';
import { filesDigestText } from './files-digest.ts';

const pageFiles = 1_000;

/** Seals what this page has read of the package, and nothing that came after. */
export function Seal({ record, told, close }: ActProps) {
  const read = useSignal<number | undefined>(undefined);
  const path = `packages/${segments(record.id)}/finalize`;
  const seal = async (signal: AbortSignal): Promise<void> => {
    const files = await readFiles(record, signal, (count) => {
      read.value = count;
    }).finally(() => {
      read.value = undefined;
    });
    const files_digest = `sha256:${await hashTexts(filesDigestText(files), signal)}`;
    await callJson(path, { method: 'POST', json: { files_digest }, signal });
    // What was refused cannot be added any more; of what is on its way the list says what becomes of it.
    const batch = batchOf(record.id);
    if (batch?.items.some(isOpen) === false) batch.stop();
    told({ text: text.seal.done });
  };
  const count = record.file_count;
  batchesChanged.value;
  const batch = batchOf(record.id);
  batch?.version.value;
  const refused = batch?.items.filter(({ state }) => state === 'refused').length ?? 0;
  return (
    <ActDialog
      title={text.seal.title}
      explain={[
        text.seal.explain(count === 1 ? text.seal.oneFile : text.seal.manyFiles(formatCount(count)), formatBytes(record.total_bytes)),
        ...(refused === 0 ? [] : [text.seal.refused(refused, formatCount(refused))]),
        text.seal.exact,
        ...(runningBatch.value?.packageId === record.id ? [text.seal.onTheirWay] : []),
        text.noUndo,
      ]}
      submit={text.seal.submit}
      running={read.value === undefined ? text.seal.running : text.seal.reading(formatCount(read.value), formatCount(count))}
      byHand={{ request: { method: 'POST', path } }}
      act={seal}
      close={close}
    />
  );
}

async function readFiles({ id }: Package, signal: AbortSignal, onProgress: (count: number) => void): Promise<readonly File[]> {
  const files: File[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: pageFiles, cursor };
    const page: Page<File> = await callJson<Page<File>>(`packages/${segments(id)}/files`, { query, signal });
    files.push(...page.items);
    cursor = page.next_cursor;
    if (cursor !== null) onProgress(files.length);
  }
  return files;
}
