import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Resource } from '../api/resource.ts';
import { Loaded } from '../parts/states.tsx';
import { strings } from '../strings.ts';

/**
 * What was read of a file. Reading looks at the bytes: where they are not as the page has it, good or bad, `onNews`
 * tells it to ask for its record. That they are bad is said there, and not here a second time.
 */
export function Read<T>({
  of,
  rows,
  damaged,
  onNews,
  children,
}: {
  readonly of: Resource<T>;
  readonly rows: number;
  /** As the page has it. */
  readonly damaged: boolean;
  readonly onNews: () => void;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { value, problem } = of;
  const isRefused = problem?.code === 'integrity_failure';
  useEffect(() => {
    if (damaged ? value !== undefined : isRefused || problem?.code === 'broken_off') onNews();
  }, [value, problem]);
  if (value === undefined && (isRefused || (problem !== undefined && damaged))) return <p class="quiet">{strings.file.damagedNoPreview}</p>;
  return (
    <Loaded of={of} rows={rows}>
      {children}
    </Loaded>
  );
}
