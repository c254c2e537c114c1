import { bytesOf, call, segments } from '../api/call.ts';
import type { File } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { formatBytes, formatCount } from '../format.ts';
import { DownloadButton } from '../parts/download-button.tsx';
import { Empty } from '../parts/states.tsx';
import { strings } from '../strings.ts';
import { pdfFacts, pdfStart } from './pdf-facts.ts';

const text = strings.file.pdf;

/** A PDF is not drawn here: what its first bytes say, and the way to a reader that can show it. */
export function Pdf({ file }: { readonly file: File }) {
  const begin = useResource(`pdf ${file.id}`, async (signal) => {
    const headers = file.size_bytes > pdfStart ? { range: `bytes=0-${pdfStart - 1}` } : {};
    return await (await bytesOf(await call(`files/${segments(file.id)}/download`, { headers, signal }))).arrayBuffer();
  });
  const path = file.relative_path;
  const facts = begin.value === undefined ? undefined : pdfFacts(new Uint8Array(begin.value), file.size_bytes);
  return (
    <Empty title={text.title}>
      <p>
        {facts === undefined
          ? (begin.problem?.message ?? '')
          : facts === 'none'
            ? text.isNone
            : [
                text.version(facts.version),
                ...(facts.pages === undefined ? [] : [text.pages(facts.pages, formatCount(facts.pages))]),
                formatBytes(file.size_bytes),
              ].join(', ')}
      </p>
      <p>{text.detail}</p>
      <DownloadButton path={`files/${segments(file.id)}/download`} name={path.slice(path.lastIndexOf('/') + 1)} label={text.download} />
    </Empty>
  );
}
