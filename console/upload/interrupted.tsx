import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { call, segments } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import { asProblem } from '../api/resource.ts';
import { formatBytes, formatCount } from '../format.ts';
import { session } from '../session.ts';
import { upload as text } from '../strings/upload.ts';
import { type Begun, begunOf, forgetBegun } from './begun.ts';

const shownPaths = 5;

/** What had begun before this page was loaded, or was stopped: it continues when the same files are dropped again. */
export function Interrupted({ packageId }: { readonly packageId: string }) {
  const begun = useSignal<readonly Begun[]>([]);
  const failed = useSignal<string | undefined>(undefined);
  const actor = session.value.who?.actor ?? '';
  const look = (): void => {
    void begunOf(packageId, actor).then((found) => {
      begun.value = found;
    });
  };
  useEffect(look, [packageId, actor]);
  const { value: found } = begun;
  if (found.length === 0) return null;
  const giveUp = async (): Promise<void> => {
    failed.value = undefined;
    try {
      for (const { upload_id, relative_path } of found) {
        await call(`uploads/${segments(upload_id)}`, { method: 'DELETE' }).catch((error: unknown) => {
          // One that is there no more is given up already. Of others nothing is known, so they stay here too.
          if (!(error instanceof Problem && (error.status === 404 || error.status === 410))) throw error;
        });
        await forgetBegun(packageId, relative_path);
      }
    } catch (error) {
      failed.value = asProblem(error).message;
    }
    look();
  };
  return (
    <div class="verdict verdict-plain interrupted" role="status">
      <div>
        <p class="verdict-title">{found.length === 1 ? text.interruptedOne : text.interrupted(formatCount(found.length))}</p>
        <ul aria-label={text.interruptedPaths}>
          {found.slice(0, shownPaths).map(({ relative_path, size_bytes }) => (
            <li key={relative_path}>
              <span class="path">{printable(relative_path)}</span> <span class="quiet">{formatBytes(size_bytes)}</span>
            </li>
          ))}
          {found.length <= shownPaths ? null : <li class="quiet">{text.andMore(formatCount(found.length - shownPaths))}</li>}
        </ul>
        {failed.value === undefined ? null : (
          <p class="problem" role="alert">
            {failed.value}
          </p>
        )}
      </div>
      <button type="button" class="button" onClick={() => void giveUp()}>
        {found.length === 1 ? text.forgetOne : text.forget}
      </button>
    </div>
  );
}
