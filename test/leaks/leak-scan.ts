import { formsOf } from '../../src/secrets/scan/forms.ts';

export interface Leak {
  readonly where: string;
  readonly form: string;
  /** Which of the values, by its place: it is not repeated. */
  readonly value: number;
}

/** Every value that is in one of the texts, in each form that `secrets scan` knows, and as a heap has it: in UTF-16. */
export function leaksIn(texts: ReadonlyMap<string, Buffer>, values: readonly string[]): readonly Leak[] {
  const forms = values.map((value) => [
    ...formsOf(value).map(({ form, bytes }) => ({ form, bytes: Buffer.from(bytes) })),
    { form: 'utf-16', bytes: Buffer.from(value, 'utf16le') },
  ]);
  const found: Leak[] = [];
  for (const [where, text] of texts)
    for (const [value, own] of forms.entries())
      for (const { form, bytes } of own) if (text.includes(bytes)) found.push({ where, form, value });
  return found;
}
