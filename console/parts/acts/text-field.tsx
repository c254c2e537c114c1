import type { ComponentChildren } from 'preact';

/** A field of a form with what it is for, and what is wrong with it. `name` is that of the request. */
export function TextField({
  name,
  label,
  hint,
  problem,
  value,
  input,
  required,
  choices,
  children,
}: {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem: string | undefined;
  readonly value: string;
  input(text: string): void;
  readonly required?: boolean;
  /** What others have there. */
  readonly choices?: readonly string[];
  /** Instead of a line to type. */
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="form-field">
      <label class="field" for={`field-${name}`}>
        <span>{label}</span>
      </label>
      {children ?? (
        <input
          type="text"
          id={`field-${name}`}
          name={name}
          value={value}
          onInput={(event) => input(event.currentTarget.value)}
          {...(choices === undefined ? {} : { list: `choices-${name}` })}
          aria-required={required ?? false}
          autocomplete="off"
          spellcheck={false}
          aria-describedby={`hint-${name} problem-${name}`}
          aria-invalid={problem !== undefined}
        />
      )}
      {choices === undefined ? null : (
        <datalist id={`choices-${name}`}>
          {choices.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      <p id={`hint-${name}`} class="quiet">
        {hint}
      </p>
      <p id={`problem-${name}`} class="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
