/** One thing that is wrong with one secret; nothing in it is of a value. */
export interface Finding {
  /** The secret's name, or the setting's that refers to it. */
  readonly secret: string;
  readonly kind: FindingKind;
  /** The end of a sentence that begins with the secret's name. */
  readonly problem: string;
  /** What to do, and who can. */
  readonly remedy: string;
  /** Who waits for it. */
  readonly consumers: readonly string[];
}

export const findingKinds = [
  'missing',
  'empty',
  'placeholder',
  'malformed',
  'exposed',
  'forbidden',
  'unreachable',
  'undeclared',
  'declared_twice',
  'invalid_declaration',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** All that a check found, whatever the first of it was. */
export interface SecretsReport {
  readonly ok: boolean;
  /** Where the secrets are. */
  readonly store: string;
  /** How many were looked at: those that consumers refer to. */
  readonly checked: number;
  /** Declared, and nobody refers to them: they were not looked at. */
  readonly inactive: readonly string[];
  /** What of the missing ones `secrets generate` makes. */
  readonly generatable: readonly string[];
  readonly findings: readonly Finding[];
}

/** By secret, then by kind, so that two runs can be compared. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (left, right) => compare(left.secret, right.secret) || compare(left.kind, right.kind) || compare(left.problem, right.problem),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `NAME problem: remedy`, for an error that has all of them. */
export function findingLine({ secret, problem, remedy }: Finding): string {
  return `${secret} ${problem}: ${remedy}`;
}
