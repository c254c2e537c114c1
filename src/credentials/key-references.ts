import { followReference } from '../secrets/reference.ts';
import type { Secrets } from '../secrets/SECRETS.ts';
import { s3Variables } from './CREDENTIALS.ts';

/** Where each part of the keys is: `env:NAME`, `file:/absolute/path` or `secret:NAME`. */
export interface KeyReferences {
  readonly accessKeyRef: string;
  readonly secretKeyRef: string;
  readonly sessionTokenRef?: string | undefined;
  /** What the names of the settings that hold these references begin with, for messages; `s3Variables` where absent. */
  readonly variables?: string;
}

export interface KeyValues {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export type KeyReading = { readonly values: KeyValues } | { readonly problems: readonly ReferenceProblem[] };

export interface ReferenceProblem {
  /** The setting's whole name. */
  readonly name: string;
  /** What is wrong, with the reference and never with what is there. */
  readonly text: string;
}

/** Everything that the references lead to, white space around it removed; or all that is wrong with them. */
export async function readKeys(
  references: KeyReferences,
  environment: Readonly<Record<string, string | undefined>>,
  secrets?: Secrets,
): Promise<KeyReading> {
  const { variables = s3Variables } = references;
  const problems: ReferenceProblem[] = [];
  const resolve = async (reference: string, name: string): Promise<string> => {
    const found = await followReference(reference, environment, secrets);
    if ('value' in found) return found.value;
    problems.push({ name, text: found.problem });
    return '';
  };
  const [accessKeyId, secretAccessKey, sessionToken] = await Promise.all([
    resolve(references.accessKeyRef, `${variables}ACCESS_KEY_REF`),
    resolve(references.secretKeyRef, `${variables}SECRET_KEY_REF`),
    references.sessionTokenRef === undefined ? undefined : resolve(references.sessionTokenRef, `${variables}SESSION_TOKEN_REF`),
  ]);
  return problems.length > 0
    ? { problems: problems.sort((left, right) => (left.name < right.name ? -1 : 1)) }
    : { values: { accessKeyId, secretAccessKey, sessionToken } };
}
