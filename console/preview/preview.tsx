import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { bytesOf, call, segments } from '../api/call.ts';
import type { File } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { isDamaged } from '../damaged.ts';
import { formatBytes } from '../format.ts';
import { Facts } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { ScrollFrame } from '../parts/table.tsx';
import { strings } from '../strings.ts';
import { failedTests } from './junit.ts';
import { imageType, type PreviewKind, previewKind } from './kind.ts';
import { Pdf } from './pdf.tsx';
import { Read } from './read.tsx';
import { Rendered } from './rendered.tsx';
import { isJUnit, summaryOf } from './summary.ts';

const text = strings.file;
/** Of a text so much is shown; the rest is for a download. */
const shownBytes = 524_288;
const longestImage = 33_554_432;

interface Shown {
  readonly file: File;
  /** Its bytes are not as the page has it. */
  readonly onNews: () => void;
}

/** What is in a file, drawn by this page from its bytes: nothing of it runs, and nothing is asked of another host. */
export function Preview(shown: Shown) {
  const { file } = shown;
  const kind = previewKind(file.media_type, file.relative_path);
  if (file.size_bytes === 0) return <Empty title={text.empty} />;
  if (kind === 'image' && file.size_bytes <= longestImage) return <Picture {...shown} />;
  if (kind === 'text' || kind === 'json' || kind === 'markdown') return <Text {...shown} kind={kind} />;
  if (kind === 'pdf') return <Pdf {...shown} />;
  return <Empty title={text.noPreview}>{text.noPreviewDetail}</Empty>;
}

function useBytes(file: File, last: number | undefined): Resource<Blob> {
  const headers = last === undefined ? {} : { range: `bytes=0-${last}` };
  return useResource(`bytes ${file.id}`, async (signal) => bytesOf(await call(`files/${segments(file.id)}/download`, { headers, signal })));
}

function Text({ file, kind, onNews }: Shown & { readonly kind: PreviewKind }) {
  const isPart = file.size_bytes > shownBytes;
  const found = useResource(`text ${file.id}`, async (signal) => {
    const headers = isPart ? { range: `bytes=0-${shownBytes - 1}` } : {};
    return await (await bytesOf(await call(`files/${segments(file.id)}/download`, { headers, signal }))).text();
  });
  const asSource = useSignal(false);
  return (
    <Read of={found} rows={8} damaged={isDamaged(file)} onNews={onNews}>
      {(content) => {
        const summary = isPart ? undefined : summaryOf(content);
        const pretty = kind === 'json' && !isPart && !asSource.value ? prettyJson(content) : undefined;
        const rendered = kind === 'markdown' && !asSource.value;
        return (
          <>
            {summary === undefined ? null : <Facts items={summary} />}
            {isJUnit(summary) ? <Failed content={content} /> : null}
            {kind === 'text' || (kind === 'json' && isPart) ? null : (
              <div class="buttons">
                <button
                  type="button"
                  class="button"
                  onClick={() => {
                    asSource.value = !asSource.value;
                  }}
                >
                  {asSource.value ? text.showRendered : text.showSource}
                </button>
                {pretty === undefined || pretty === content ? null : <span class="quiet">{text.pretty}</span>}
              </div>
            )}
            {rendered ? (
              <Rendered text={content} />
            ) : (
              <ScrollFrame label={text.preview}>
                <pre class="source">{pretty ?? content}</pre>
              </ScrollFrame>
            )}
            {isPart ? <p class="quiet">{text.firstPart(formatBytes(shownBytes), formatBytes(file.size_bytes))}</p> : null}
          </>
        );
      }}
    </Read>
  );
}

const shownTests = 100;

/** Which tests failed, and what they say: before the report itself. */
function Failed({ content }: { readonly content: string }) {
  const found = failedTests(content, shownTests + 1);
  if (found.length === 0) return null;
  return (
    <ul class="failed-tests" aria-label={strings.summary.failed}>
      {found.slice(0, shownTests).map(({ name, kind, message }, index) => (
        <li key={index}>
          <strong>{name === '' ? strings.summary.noName : printable(name)}</strong>{' '}
          <span class="quiet">{kind === 'error' ? strings.summary.error : strings.summary.failure}</span>
          {message === '' ? null : <span class="problem">{printable(message)}</span>}
        </li>
      ))}
      {found.length > shownTests ? <li class="quiet">{strings.summary.moreFailed}</li> : null}
    </ul>
  );
}

function Picture({ file, onNews }: Shown) {
  const found = useBytes(file, undefined);
  const address = useSignal<string | undefined>(undefined);
  const bytes = found.value;
  useEffect(() => {
    if (bytes === undefined) return;
    const url = URL.createObjectURL(new Blob([bytes], { type: imageType(file.media_type) }));
    address.value = url;
    return () => URL.revokeObjectURL(url);
  }, [bytes]);
  return (
    <Read of={found} rows={6} damaged={isDamaged(file)} onNews={onNews}>
      {() => (address.value === undefined ? null : <img class="picture" src={address.value} alt={text.imageOf(file.relative_path)} />)}
    </Read>
  );
}

function prettyJson(content: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(content), null, 2);
  } catch {
    return undefined;
  }
}
