import { inspect } from 'node:util';

/** A value that prints as `[secret]` wherever it is put by mistake: in text, JSON, logs and the console. */
export interface Secret {
  /** The value itself: only for whoever sends it to where it belongs. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

/** No property holds the text, so that nothing that walks over properties finds it. */
export function secretOf(text: string): Secret {
  return Object.freeze({ reveal: () => text, toString: printed, toJSON: printed, [inspect.custom]: printed });
}

function printed(): string {
  return '[secret]';
}
