import type { Certificate, Finding } from '../../src/certify/certificate.ts';
import { suite } from '../../src/certify/suite.ts';
import { gradeOf, judge } from '../../src/certify/uses.ts';
import { defaultDialect } from '../../src/storage/s3/settings.ts';

/** The certificate of a store of which all probes found this, where nothing else is said of one. */
export function certificateOf(
  store: { readonly endpoint: string; readonly bucket: string },
  { found = {}, startedAt = new Date() }: { readonly found?: Readonly<Record<string, Finding['result']>>; readonly startedAt?: Date } = {},
): Certificate {
  const probes = suite.map(({ id, family, title, why }) => ({
    id,
    family,
    title,
    why,
    result: found[id] ?? ('pass' as const),
    detail: '',
  }));
  const uses = judge(new Map(probes.map(({ id, result, detail }) => [id, { result, detail }])));
  return {
    store: { ...store, region: 'us-east-1', server: null },
    version: '0.0.0',
    started_at: startedAt.toISOString(),
    seconds: 1,
    grade: gradeOf(uses),
    uses,
    scope: { verdict: 'proven', decided_by: [] },
    probes,
    dialect: defaultDialect,
    leftovers: [],
  };
}
