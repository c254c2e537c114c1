import { readSecretFile, type SecretFileFault } from '../runtime/secret-file.ts';

/** What a reference leads to, white space around it removed; or what is wrong, with the reference and never a value. */
export type Followed = { readonly value: string } | { readonly problem: string; readonly fault: SecretFileFault };

/** Follows `env:NAME` or `file:/absolute/path` to one word of plain ASCII. */
export async function followReference(reference: string, environment: Readonly<Record<string, string | undefined>>): Promise<Followed> {
  const [, kind, place] = /^(env|file):(.+)$/.exec(reference) ?? [];
  if (kind === undefined || place === undefined) return { problem: 'must be env:NAME or file:/absolute/path', fault: 'malformed' };
  if (kind === 'env') {
    const text = environment[place];
    const fault = text === undefined ? 'missing' : 'empty';
    return checked(text ?? '', `the variable ${place} is not set or empty`, fault, reference);
  }
  const read = await readSecretFile(place);
  if ('problem' in read) return { problem: `the file of ${reference} ${read.problem}`, fault: read.fault };
  return checked(read.text, `the file of ${reference} is empty`, 'empty', reference);
}

function checked(text: string, problem: string, fault: SecretFileFault, reference: string): Followed {
  const value = text.trim();
  if (value === '') return { problem, fault };
  if (/^[\x21-\x7e]+$/.test(value)) return { value };
  return { problem: `what ${reference} leads to is not one word of plain ASCII`, fault: 'malformed' };
}
