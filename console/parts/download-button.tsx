import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { download } from '../api/download.ts';
import { asProblem } from '../api/resource.ts';
import { formatBytes } from '../format.ts';
import { strings } from '../strings.ts';
import { announce } from './announce.tsx';
import { Icon } from './icon.tsx';

/** Bytes that are found wrong break the line: then nothing but the registry's records says why. */
const mayBeDamage: ReadonlySet<string> = new Set(['broken_off', 'unreachable', 'integrity_failure']);

/** Saves what a route gives as a file; pressed again, it stops. */
export function DownloadButton({
  path,
  name,
  label,
  whyBroken,
}: {
  readonly path: string;
  readonly name: string;
  readonly label: string;
  /** Asked where the bytes did not all come: what of them is known to be wrong, if anything. */
  readonly whyBroken?: (signal: AbortSignal) => Promise<string | undefined>;
}) {
  const progress = useSignal<number | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (): Promise<void> => {
    const controller = new AbortController();
    running.current = controller;
    problem.value = undefined;
    progress.value = 0;
    let told = 0;
    try {
      await download(
        path,
        name,
        (bytes) => {
          if (performance.now() - told < 100) return;
          told = performance.now();
          progress.value = bytes;
        },
        controller.signal,
      );
      announce(strings.download.done(name));
    } catch (error) {
      const { code, message } = asProblem(error);
      const why = mayBeDamage.has(code) ? await whyBroken?.(controller.signal).catch(() => undefined) : undefined;
      if (!controller.signal.aborted) problem.value = why ?? message;
    } finally {
      progress.value = undefined;
    }
  };
  const isRunning = progress.value !== undefined;
  return (
    <>
      <button type="button" class="button" onClick={() => (isRunning ? running.current?.abort() : void start())}>
        <Icon name={isRunning ? 'forbidden' : 'download'} />
        {isRunning ? strings.download.stop(formatBytes(progress.value ?? 0)) : label}
      </button>
      {problem.value === undefined ? null : (
        <span class="problem" role="alert">
          {problem.value}
        </span>
      )}
    </>
  );
}
