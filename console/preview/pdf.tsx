import { bytesOf, call, segments } from '../api/call.ts';
import type { File } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { isDamaged } from '../damaged.ts';
import { formatBytes, formatCount } from '../format.ts';
import { Empty } from '../parts/states.tsx';
import { strings } from '../strings.ts';
import { pdfFacts, pdfStart } from './pdf-facts.ts';
import { Read } from './read.tsx';

const text = strings.file.pdf;

/** A PDF is not drawn here: what its first bytes say, and the way to a reader that can show it. */
export function Pdf({ file, onNews }: { readonly file: File; readonly onNews: () => void }) {
  const begin = useResource(`pdf ${file.id}`, async (signal) => {
    const headers = file.size_bytes > pdfStart ? { range: `bytes=0-${pdfStart - 1}` } : {};
    return await (await bytesOf(await call(`files/${segments(file.id)}/download`, { headers, signal }))).arrayBuffer();
  });
  return (
    <Read of={begin} rows={4} damaged={isDamaged(file)} onNews={onNews}>
      {(bytes) => {
        const facts = pdfFacts(new Uint8Array(bytes), file.size_bytes);
        if (facts === 'none')
          return (
            <Empty title={text.isNone} icon="warning">
              <p>{text.isNoneDetail}</p>
            </Empty>
          );
        return (
          <Empty title={text.title}>
            <p>
              {[
                text.version(facts.version),
                ...(facts.pages === undefined ? [] : [text.pages(facts.pages, formatCount(facts.pages))]),
                formatBytes(file.size_bytes),
              ].join(', ')}
            </p>
            <p>{text.detail}</p>
          </Empty>
        );
      }}
    </Read>
  );
}
