import type { Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { newPackage as text } from '../../strings/new-package.ts';
import type { MetadataLine } from './metadata-lines.ts';

/** Keys and values, a line each. `wrongLine`: which one `problem` is about; all of them where that is not known. */
export function MetadataFields({
  lines,
  problem,
  wrongLine,
}: {
  readonly lines: Signal<readonly MetadataLine[]>;
  readonly problem: string | undefined;
  readonly wrongLine: number | undefined;
}) {
  const list = useRef<HTMLUListElement>(null);
  const change = (at: number, part: Partial<MetadataLine>): void => {
    lines.value = lines.peek().map((line, index) => (index === at ? { ...line, ...part } : line));
  };
  const focusLine = (at: number): void => {
    setTimeout(() => list.current?.querySelectorAll<HTMLInputElement>('input[name="key"]')[at]?.focus());
  };
  const isWrong = (at: number): boolean => problem !== undefined && (wrongLine ?? at) === at;
  return (
    <fieldset class="form-field" aria-describedby="hint-metadata problem-metadata">
      <legend class="quiet">{text.metadata}</legend>
      <ul ref={list} class="pairs">
        {lines.value.map((line, at) => (
          // A line is its place: nothing else tells two empty ones apart.
          <li key={at} class="pair">
            {(['key', 'value'] as const).map((part) => (
              <input
                key={part}
                name={part}
                value={line[part]}
                placeholder={text[part]}
                aria-label={part === 'key' ? text.keyOf(at + 1) : text.valueOf(at + 1)}
                aria-invalid={isWrong(at)}
                onInput={(event) => change(at, { [part]: event.currentTarget.value })}
                autocomplete="off"
                spellcheck={false}
              />
            ))}
            {lines.value.length === 1 ? null : (
              <button
                type="button"
                class="button button-quiet"
                aria-label={line.key === '' ? text.removeLine : text.remove(line.key)}
                onClick={() => {
                  lines.value = lines.peek().filter((_, index) => index !== at);
                  focusLine(Math.max(0, at - 1));
                }}
              >
                ✕
              </button>
            )}
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button
          type="button"
          class="button button-quiet"
          onClick={() => {
            lines.value = [...lines.peek(), { key: '', value: '' }];
            focusLine(lines.peek().length - 1);
          }}
        >
          {text.add}
        </button>
      </div>
      <p id="hint-metadata" class="quiet">
        {text.metadataHint}
      </p>
      <p id="problem-metadata" class="problem" role="alert">
        {problem}
      </p>
    </fieldset>
  );
}
