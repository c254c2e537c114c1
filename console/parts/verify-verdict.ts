import { strings } from '../strings.ts';
import type { Finding } from '../workers/proof.ts';

const text = strings.verify;

/** One bad finding is enough; good is what has nothing unknown about it. Where no seal is, none is looked for. */
export function verdictOf(findings: readonly Finding[]): { readonly title: string; readonly tone: 'good' | 'bad' | 'plain' } {
  const hasSeal = findings.every(({ because }) => because !== 'not_sealed');
  const bad = findings.filter(({ result }) => result === 'bad');
  if (bad.length > 0 && bad.every(({ because }) => because === 'not_given')) return { title: text.notGiven, tone: 'bad' };
  if (bad.length > 0) return { title: hasSeal ? text.bad : text.badStored, tone: 'bad' };
  const unknown = findings.filter(({ result }) => result === 'unknown');
  const isManifestAlone = findings.some(({ because }) => because === 'manifest_alone');
  if (unknown.length === 0) return { title: isManifestAlone ? text.goodManifest : text.good, tone: 'good' };
  const isOpen = unknown.length < findings.length && unknown.every(({ because }) => because === 'not_sealed');
  return { title: isOpen ? text.notSealed : text.unknown, tone: 'plain' };
}
