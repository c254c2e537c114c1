import { isArtifactstoreError } from '../kernel/error.ts';
import { readSecretFile, type SecretFileFault } from '../runtime/secret-file.ts';
import type { Secrets } from './SECRETS.ts';

/** What a reference leads to, white space around it removed; or what is wrong, with the reference and never a value. */
export type Followed = { readonly value: string } | Unfollowed;

export interface Unfollowed {
  readonly problem: string;
  readonly fault: SecretFileFault;
  /** What to do, where the store knows better than who asked it: a sealed one is unsealed. */
  readonly remedy?: string;
}

/**
 * Follows `env:NAME`, `file:/absolute/path` or `secret:NAME`, one of the store, to one word of plain ASCII. An empty
 * reference is a setting that is not set: that is missing, and not malformed.
 */
export async function followReference(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  secrets?: Secrets,
): Promise<Followed> {
  if (reference === '') return { problem: 'nothing is set: it must be env:NAME or file:/absolute/path', fault: 'missing' };
  const [, kind, place] = /^(env|file|secret):(.+)$/.exec(reference) ?? [];
  if (kind === undefined || place === undefined) return { problem: 'must be env:NAME or file:/absolute/path', fault: 'malformed' };
  if (kind === 'secret') return await followToStore(reference, place, secrets);
  if (kind === 'env') {
    const text = environment[place];
    const fault = text === undefined ? 'missing' : 'empty';
    return checked(text ?? '', `the variable ${place} is not set or empty`, fault, reference);
  }
  const read = await readSecretFile(place);
  if ('problem' in read) return { problem: `the file of ${reference} ${read.problem}`, fault: read.fault };
  return checked(read.text, `the file of ${reference} is empty`, 'empty', reference);
}

async function followToStore(reference: string, name: string, secrets: Secrets | undefined): Promise<Followed> {
  if (secrets === undefined) return { problem: `${reference} is in no store: set ARTIFACTSTORE_SECRETS`, fault: 'malformed' };
  try {
    const found = await secrets.get(name);
    if (found === undefined) return { problem: `there is no secret "${name}" in ${secrets.place}`, fault: 'missing' };
    return checked(found.value.reveal(), `${reference} is empty`, 'empty', reference);
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    const { code, message, info } = error;
    const problem = `${reference} cannot be read. ${message.replace(/\.$/, '')}`;
    const remedy = typeof info?.hint === 'string' ? { remedy: info.hint } : {};
    return { problem, fault: faultOf(code, info?.fault), ...remedy };
  }
}

function faultOf(code: string, fault: unknown): SecretFileFault {
  if (code === 'secrets_forbidden') return 'forbidden';
  if (code === 'secrets_unavailable') return 'unreachable';
  return fault === 'empty' || fault === 'exposed' ? fault : 'malformed';
}

function checked(text: string, problem: string, fault: SecretFileFault, reference: string): Followed {
  const value = text.trim();
  if (value === '') return { problem, fault };
  if (/^[\x21-\x7e]+$/.test(value)) return { value };
  return { problem: `what ${reference} leads to is not one word of plain ASCII`, fault: 'malformed' };
}
