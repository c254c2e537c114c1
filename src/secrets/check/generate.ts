import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets, SecretsWriter } from '../SECRETS.ts';
import { secretOf } from '../secret.ts';
import type { Catalog, Declaration } from './catalog.ts';
import { activeIn } from './check.ts';
import type { SecretUse } from './consumers.ts';
import { generatedValue } from './form.ts';

export interface GenerateInput {
  readonly catalog: Catalog;
  /** What consumers refer to; undefined takes the word of the catalog for it. */
  readonly uses: readonly SecretUse[] | undefined;
  readonly secrets: Secrets;
  readonly random: (bytes: number) => Uint8Array;
  /** Says what would be made, and makes nothing. */
  readonly dryRun: boolean;
}

export interface GeneratedReport {
  readonly store: string;
  /** Made now, or to be made by a run that is no dry one. */
  readonly made: readonly string[];
  /** There already: never replaced. */
  readonly kept: readonly string[];
}

/**
 * Makes the generated secrets that are missing, and no other: what is there stays, whatever it is. Before the first is
 * made it is known that all may be written. Errors: those of the store, `invalid_configuration` for a catalog that is
 * wrong, and for a store that cannot be written to.
 */
export async function generateSecrets({ catalog, uses, secrets, random, dryRun }: GenerateInput): Promise<GeneratedReport> {
  const { active, findings } = activeIn(catalog, uses);
  const [wrong] = findings;
  if (wrong !== undefined)
    throw new ArtifactstoreError('invalid_configuration', `Nothing was made: ${wrong.secret} ${wrong.problem}.`, {
      field: wrong.secret,
      info: { hint: '`artifactstore secrets check` shows all that is wrong' },
    });
  const { writer } = secrets;
  if (writer === undefined)
    throw new ArtifactstoreError('invalid_configuration', `Nothing can be made in ${secrets.place}.`, {
      field: '--store',
      info: { hint: 'name a directory (file:/path) or a vault with --store' },
    });
  const missing: Declaration[] = [];
  const kept: string[] = [];
  for (const declaration of active) {
    if (declaration.source.kind !== 'generated') continue;
    if (await isThere(secrets, declaration.name)) kept.push(declaration.name);
    else missing.push(declaration);
  }
  for (const { name } of missing) await writer.probeWrite(name);
  const made: string[] = [];
  for (const declaration of missing) {
    if (dryRun || (await make(writer, declaration, random))) made.push(declaration.name);
    else kept.push(declaration.name);
  }
  return { store: secrets.place, made: made.sort(), kept: kept.sort() };
}

/** Also what cannot be used is there, and may be somebody's. */
async function isThere(secrets: Secrets, name: string): Promise<boolean> {
  try {
    return (await secrets.get(name)) !== undefined;
  } catch (error) {
    if (isArtifactstoreError(error, 'secret_unusable')) return true;
    throw error;
  }
}

/** False where somebody else has made it meanwhile. */
async function make(writer: SecretsWriter, { name, source }: Declaration, random: GenerateInput['random']): Promise<boolean> {
  if (source.kind !== 'generated') return false;
  try {
    await writer.put(name, secretOf(generatedValue(source, random)), undefined);
    return true;
  } catch (error) {
    if (isArtifactstoreError(error, 'secret_conflict')) return false;
    throw error;
  }
}
