import { ArtifactstoreError } from '../../kernel/error.ts';
import { followReference } from '../reference.ts';
import type { Secrets } from '../SECRETS.ts';
import { secretOf } from '../secret.ts';
import { isPlaceholder } from './form.ts';
import { type Finding, findingLine, sortFindings } from './report.ts';

/** Where a setting says that a secret is. */
export interface SettingReference {
  /** The setting's whole name. */
  readonly setting: string;
  /** `env:NAME`, `file:/absolute/path` or `secret:NAME`. */
  readonly reference: string;
}

/** All that is wrong with what settings refer to, sorted; never a value. */
export async function checkReferences(
  references: readonly SettingReference[],
  environment: Readonly<Record<string, string | undefined>>,
  secrets?: Secrets,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    references.map(async ({ setting, reference }): Promise<Finding | undefined> => {
      const found = await followReference(reference, environment, secrets);
      const finding = { secret: setting, remedy: 'put the value there, or correct the setting', consumers: [] };
      if ('problem' in found) {
        const { fault, problem, remedy = finding.remedy } = found;
        return { ...finding, kind: fault, problem: `cannot be used: ${problem}`, remedy };
      }
      if (!isPlaceholder(secretOf(found.value))) return undefined;
      return { ...finding, kind: 'placeholder', problem: `leads to a placeholder (${reference})` };
    }),
  );
  return sortFindings(findings.filter((each) => each !== undefined));
}

/** Errors: one `invalid_configuration` that has all of it. */
export async function requireReferences(
  references: readonly SettingReference[],
  environment: Readonly<Record<string, string | undefined>>,
  secrets?: Secrets,
): Promise<void> {
  const findings = await checkReferences(references, environment, secrets);
  const [first] = findings;
  if (first !== undefined) throw findingsError(findings, 'secrets of the settings', first.secret);
}

/** Every finding in one error: `what` is what they are, in the plural. */
export function findingsError(findings: readonly Finding[], what: string, field: string): ArtifactstoreError {
  const lines = findings.map((each) => `  ${findingLine(each)}`).join('\n');
  return new ArtifactstoreError('invalid_configuration', `Not all ${what} are as they should be:\n${lines}`, { field, info: { findings } });
}
