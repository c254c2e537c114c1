import { isArtifactstoreError } from '../../kernel/error.ts';
import { createLimit } from '../../runtime/limit.ts';
import type { Secrets, StoredSecret } from '../SECRETS.ts';
import type { Catalog, Declaration } from './catalog.ts';
import type { SecretUse } from './consumers.ts';
import { charactersOf, formFault, isPlaceholder } from './form.ts';
import { type Finding, type FindingKind, type SecretsReport, sortFindings } from './report.ts';

export interface CheckInput {
  readonly catalog: Catalog;
  /** What consumers refer to; undefined takes the word of the catalog for it. */
  readonly uses: readonly SecretUse[] | undefined;
  readonly secrets: Secrets;
}

/** Looks at every secret that somebody refers to, and says all that is wrong at once. Writes nothing. */
export async function checkSecrets({ catalog, uses, secrets }: CheckInput): Promise<SecretsReport> {
  const { active, inactive, findings } = activeIn(catalog, uses);
  const limit = createLimit(requestsAtOnce);
  let failures = 0;
  let last: Finding | undefined;
  const looked = await Promise.all(
    active.map((declaration) =>
      limit.run(async () => {
        // A store that does not answer is not asked for each of hundreds: each wait is long.
        if (failures >= patientFailures && last !== undefined)
          return { ...last, secret: declaration.name, consumers: declaration.consumers };
        const found = await look(secrets, declaration);
        if (found?.kind === 'unreachable') {
          failures += 1;
          last = found;
        } else failures = 0;
        return found;
      }),
    ),
  );
  const all = sortFindings([...findings, ...looked.filter((each) => each !== undefined)]);
  const generatable = all.filter(({ kind, secret }) => kind === 'missing' && catalog.declarations.get(secret)?.source.kind === 'generated');
  return {
    ok: all.length === 0,
    store: secrets.place,
    checked: active.length,
    inactive,
    generatable: generatable.map(({ secret }) => secret),
    findings: all,
  };
}

const requestsAtOnce = 8;
const patientFailures = 4;

/** What is referred to, what is not, and what is wrong between catalog and consumers. */
export function activeIn(
  { declarations, findings }: Catalog,
  uses: readonly SecretUse[] | undefined,
): { readonly active: readonly Declaration[]; readonly inactive: readonly string[]; readonly findings: readonly Finding[] } {
  const all = [...declarations.values()];
  if (uses === undefined) return { active: all, inactive: [], findings };
  const users = new Map<string, Set<string>>();
  const strangers: Finding[] = [];
  for (const { consumer, secret } of uses) {
    // A document that is referred to as a whole is all of its fields.
    const meant = all.filter(({ name }) => name === secret || name.startsWith(`${secret}#`));
    if (meant.length === 0) strangers.push(undeclared(secret, consumer));
    for (const { name, consumers, file } of meant) {
      users.set(name, (users.get(name) ?? new Set()).add(consumer));
      if (!consumers.includes(consumer)) strangers.push(unnamed(name, consumer, file));
    }
  }
  const active = all.filter(({ name }) => users.has(name)).map((each) => ({ ...each, consumers: [...users.get(each.name)!].sort() }));
  const inactive = all.filter(({ name }) => !users.has(name)).map(({ name }) => name);
  return { active, inactive: inactive.sort(), findings: [...findings, ...strangers] };
}

function undeclared(secret: string, consumer: string): Finding {
  return {
    secret,
    kind: 'undeclared',
    problem: `is referred to by ${consumer}, and no catalog declares it`,
    remedy: 'declare it with its source, or correct the reference',
    consumers: [consumer],
  };
}

function unnamed(secret: string, consumer: string, file: string): Finding {
  return {
    secret,
    kind: 'undeclared',
    problem: `is referred to by ${consumer}, which its declaration in ${file} does not name`,
    remedy: `add "${consumer}" to its consumers, or take the reference out`,
    consumers: [consumer],
  };
}

async function look(secrets: Secrets, declaration: Declaration): Promise<Finding | undefined> {
  const { name, consumers } = declaration;
  const finding = (kind: FindingKind, problem: string, remedy: string): Finding => ({ secret: name, kind, problem, remedy, consumers });
  let found: StoredSecret | undefined;
  try {
    found = await secrets.get(name);
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    const kind = kindOf(error.code, error.info?.fault);
    if (kind === undefined) throw error;
    const { hint } = error.info ?? {};
    return finding(kind, `cannot be used: ${error.message.replace(/\.$/, '')}`, typeof hint === 'string' ? hint : remedyOf(declaration));
  }
  if (found === undefined) return finding('missing', `is not in ${secrets.place}`, remedyOf(declaration));
  if (isPlaceholder(found.value)) return finding('placeholder', 'has a placeholder for its value', remedyOf(declaration));
  const fault = formFault(found.value, formOf(declaration));
  return fault === undefined ? undefined : finding('malformed', `has a value that ${fault}`, remedyOf(declaration));
}

function kindOf(code: string, fault: unknown): FindingKind | undefined {
  if (code === 'secrets_forbidden') return 'forbidden';
  if (code === 'secrets_unavailable') return 'unreachable';
  if (code === 'invalid_value') return 'malformed';
  if (code !== 'secret_unusable') return undefined;
  return fault === 'empty' || fault === 'exposed' ? fault : 'malformed';
}

function formOf({ source, form }: Declaration) {
  if (source.kind === 'generated') return { characters: charactersOf(source), alphabet: source.encoding };
  return form ?? { characters: undefined, alphabet: undefined };
}

/** Whoever has it to give. */
function remedyOf({ name, source }: Declaration): string {
  if (source.kind === 'generated') return 'run `artifactstore secrets generate`, which makes it where nothing is';
  return source.kind === 'produced_by' ? `run ${source.by}, which makes it` : `put it there as "${name}": ${source.from}`;
}
