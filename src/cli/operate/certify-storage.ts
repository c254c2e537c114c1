import type { Certificate, Family, Finding, ProbeResult, Verdict } from '../../certify/certificate.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { CertifyPlace, Context } from '../context.ts';
import { exitCode } from '../exit.ts';
import type { Colors } from '../terminal/output.ts';
import { createProgressLine } from '../terminal/progress-line.ts';

export interface StorageCertifyOptions {
  readonly markdown?: boolean;
  readonly save?: boolean;
  readonly family?: readonly Family[];
  readonly backend?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly region: string;
  readonly keyPrefix: string;
  readonly virtualHosted?: boolean;
  readonly accessKeyRef?: string;
  readonly secretKeyRef?: string;
  readonly sessionTokenRef?: string;
  readonly ownerAccessKeyRef?: string;
  readonly ownerSecretKeyRef?: string;
  readonly otherBucket?: string;
}

/**
 * Certifies a store and prints what came out. The exit code says whether it is safe for registry storage, or what was
 * asked of it holds.
 */
export async function certifyStorage(
  { certify, config, output, environment, exitWith }: Context,
  options: StorageCertifyOptions,
): Promise<void> {
  using stop = stopOnSignal();
  using progress = createProgressLine(output);
  const place = placeOf(options);
  const { ownerAccessKeyRef, ownerSecretKeyRef, otherBucket, family, backend, save = false, markdown = false } = options;
  const show = (certificate: Certificate): void => {
    progress.clear();
    if (output.json) output.value(certificate);
    else if (markdown) for (const line of markdownOf(certificate)) output.line(line);
    else for (const line of linesOf(certificate, output.colors)) output.line(line);
    for (const each of certificate.leftovers) output.warn(`left in the store: ${each}`);
  };
  const { uses, probes } = await certify(config, {
    environment,
    signal: stop.signal,
    save,
    onCertificate: show,
    onProbe: ({ id, result }, done, total) => progress.show(() => `${done} of ${total}: ${id} ${signs[result]}`),
    ...(place === undefined ? {} : { place }),
    ...(backend === undefined ? {} : { backendId: backend }),
    ...(family === undefined ? {} : { families: family }),
    ...(otherBucket === undefined ? {} : { reach: { otherBucket } }),
    ...(ownerAccessKeyRef === undefined || ownerSecretKeyRef === undefined
      ? {}
      : { owner: { accessKeyRef: ownerAccessKeyRef, secretKeyRef: ownerSecretKeyRef, sessionTokenRef: undefined } }),
  });
  const registry = uses.find(({ use }) => use === 'registry')?.verdict;
  if (registry === 'safe' || registry === 'safe_with_precautions') return;
  // Who asks for a part only can't prove the whole: then what was asked must hold.
  if (family !== undefined && registry === 'unproven' && !probes.some(({ result }) => result === 'fail'))
    output.note('only a part was asked, and it holds; what the store is safe for takes a run without --family');
  else exitWith(exitCode.failed);
}

function placeOf(options: StorageCertifyOptions): CertifyPlace | undefined {
  const { endpoint, bucket, region, keyPrefix, accessKeyRef, secretKeyRef, sessionTokenRef } = options;
  if (endpoint === undefined || bucket === undefined || accessKeyRef === undefined || secretKeyRef === undefined) return undefined;
  return {
    endpointUrl: endpoint.replace(/\/+$/, ''),
    bucket,
    region,
    keyPrefix: keyPrefix.replace(/^\/+|\/+$/g, ''),
    forcePathStyle: options.virtualHosted !== true,
    credentials: { accessKeyRef, secretKeyRef, sessionTokenRef },
  };
}

/** A line for each family, one for each probe that did not pass, and the uses. */
function linesOf({ store, seconds, grade, uses, probes, dialect }: Certificate, colors: Colors): readonly string[] {
  const paint: { readonly [R in Finding['result']]: (text: string) => string } = {
    pass: colors.green,
    fail: colors.red,
    differs: colors.yellow,
    skipped: colors.dim,
  };
  const lines = [`${colors.bold(`${store.endpoint}/${store.bucket}`)}${store.server === null ? '' : `  (${store.server})`}`, ''];
  for (const [family, own] of byFamily(probes)) {
    const passed = own.filter(({ result }) => result === 'pass').length;
    lines.push(
      `${colors.bold(family.padEnd(12))} ${own.map(({ result }) => paint[result](signs[result])).join('')}  ${passed} of ${own.length}`,
    );
    for (const { id, result, title, detail } of own)
      if (result !== 'pass') lines.push(`  ${paint[result](signs[result])} ${id}: ${title}`, `      ${colors.dim(detail)}`);
  }
  lines.push('');
  for (const { title, verdict, decided_by } of uses) {
    lines.push(`${verdictPaint(verdict, colors)(verdictWords[verdict].padEnd(23))} ${title}`);
    for (const { id, text } of decided_by) lines.push(`${' '.repeat(24)}${colors.dim(`${id}: ${text}`)}`);
  }
  lines.push(
    '',
    `grade ${colors.bold(grade)}, ${seconds} s; bodies bound by ${dialect.bodyBinding}, owner's ACL ${dialect.ownerAcl ? 'sent' : 'not sent'}`,
  );
  return lines;
}

function markdownOf({ store, version, started_at, grade, uses, probes }: Certificate): readonly string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return [
    `Bucket \`${store.bucket}\` at ${store.endpoint}${store.server === null ? '' : ` (${cell(store.server)})`}, ${started_at.slice(0, 10)}, artifactstore ${version}: grade **${grade}**.`,
    '',
    '| use | verdict | decided by |',
    '|---|---|---|',
    ...uses.map(
      ({ title, verdict, decided_by }) =>
        `| ${title} | ${verdictWords[verdict]} | ${cell(decided_by.map(({ id, text }) => `${id}: ${text}`).join('; '))} |`,
    ),
    '',
    '| probe | what holds | result |',
    '|---|---|---|',
    ...probes.map(({ id, title, result, detail }) => `| ${id} | ${cell(title)} | ${signs[result]} ${cell(detail)} |`),
  ];
}

function byFamily(probes: readonly ProbeResult[]): ReadonlyMap<Family, readonly ProbeResult[]> {
  return Map.groupBy(probes, ({ family }) => family);
}

const signs: { readonly [R in Finding['result']]: string } = { pass: '✓', fail: '✗', differs: '~', skipped: '–' };

const verdictWords: { readonly [V in Verdict]: string } = {
  safe: 'safe',
  safe_with_precautions: 'safe, with precautions',
  unsafe: 'unsafe',
  unproven: 'unproven',
};

function verdictPaint(verdict: Verdict, colors: Colors): (text: string) => string {
  if (verdict === 'safe') return colors.green;
  return verdict === 'unsafe' ? colors.red : colors.yellow;
}
