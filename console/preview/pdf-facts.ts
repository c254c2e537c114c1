/** So many bytes at its begin say what a reader looks for there. */
export const pdfStart = 1_024;

export interface PdfFacts {
  readonly version: string;
  /** Only a file that was made to be read from its begin says so there (ISO 32000-1, annex F). */
  readonly pages: number | undefined;
}

/** What the first bytes of a PDF say; `none` where they are not those of one. `size`: of all of it. */
export function pdfFacts(start: Uint8Array, size: number): PdfFacts | 'none' {
  const text = new TextDecoder('latin1').decode(start.subarray(0, pdfStart));
  const version = /%PDF-(\d\.\d)/.exec(text)?.[1];
  if (version === undefined) return 'none';
  const dictionary = /<<(?=[^<>]*\/Linearized\b)[^<>]*>>/.exec(text)?.[0] ?? '';
  const number = (key: string): number | undefined => {
    const found = new RegExp(`/${key}\\s+(\\d{1,10})(?![\\d.])`).exec(dictionary)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  // What was added to it since is not counted there: the length then differs.
  return { version, pages: number('L') === size ? number('N') : undefined };
}
