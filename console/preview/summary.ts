import { strings } from '../strings.ts';

/** A few facts of a document whose form is known: name and value. */
export type Summary = readonly (readonly [name: string, value: string])[];

const text = strings.summary;

/** Of JUnit XML, CycloneDX and SPDX as JSON; undefined for anything else. */
export function summaryOf(content: string): Summary | undefined {
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<testsuites?[\s>]/.test(content)) return ofJUnit(content);
  if (!content.trimStart().startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  return isRecord(value) ? (ofCycloneDx(value) ?? ofSpdx(value)) : undefined;
}

export function isJUnit(summary: Summary | undefined): boolean {
  return summary?.[0]?.[1] === jUnit;
}

const jUnit = 'JUnit';

/** Counted by its elements. What suites state of themselves can be missing; where it differs, both are told. */
function ofJUnit(content: string): Summary {
  const plain = content.replaceAll(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, '');
  const tags = outermostSuites(plain);
  const figure = (element: string, attribute: string): string => {
    const listed = plain.match(new RegExp(`<${element}[\\s/>]`, 'g'))?.length ?? 0;
    const all = tags.map((tag) => new RegExp(`\\s${attribute}\\s*=\\s*["'](\\d{1,15})["']`).exec(tag)?.[1]);
    const stated = all.includes(undefined) ? listed : all.reduce((sum, each) => sum + Number(each), 0);
    return stated === listed ? String(listed) : text.stated(String(stated), String(listed));
  };
  return [
    [text.format, jUnit],
    [text.tests, figure('testcase', 'tests')],
    [text.failures, figure('failure', 'failures')],
    [text.errors, figure('error', 'errors')],
    [text.skipped, figure('skipped', 'skipped')],
  ];
}

/** Their start tags: suites that are in another are counted by it. */
function outermostSuites(plain: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  for (const [tag, end] of plain.matchAll(/<(\/?)testsuite(?=[\s/>])(?:[^<>"']|"[^"<]*"|'[^'<]*')*>/g)) {
    if (end === '/') depth -= 1;
    else {
      if (depth === 0) found.push(tag);
      if (!tag.endsWith('/>')) depth += 1;
    }
  }
  return found;
}

function ofCycloneDx(value: Readonly<Record<string, unknown>>): Summary | undefined {
  if (value.bomFormat !== 'CycloneDX') return undefined;
  const { metadata, components } = value;
  const subject = isRecord(metadata) && isRecord(metadata.component) ? metadata.component : undefined;
  return [
    [text.format, `CycloneDX ${String(value.specVersion ?? '')}`.trim()],
    ...(subject === undefined ? [] : [[text.subject, [subject.name, subject.version].filter(isText).join(' ')] as const]),
    [text.components, String(Array.isArray(components) ? components.length : 0)],
  ];
}

function ofSpdx(value: Readonly<Record<string, unknown>>): Summary | undefined {
  if (typeof value.spdxVersion !== 'string') return undefined;
  return [
    [text.format, value.spdxVersion],
    ...(isText(value.name) ? [[text.subject, value.name] as const] : []),
    [text.components, String(Array.isArray(value.packages) ? value.packages.length : 0)],
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
