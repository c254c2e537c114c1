import { XMLParser } from 'fast-xml-parser';
import { refuse } from './refusal.ts';

/** An element: its text, its children, or the same element several times. */
export type Element = string | number | boolean | undefined | { readonly [name: string]: Element } | readonly Element[];

/** A document with one root; children that are undefined are left out, arrays repeat their element. */
export function document(root: string, children: Element, attributes = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attributes}>${inner(children)}</${root}>`;
}

/** The children of the root of a request's body. */
export function parse(body: Buffer, root: string): Parsed {
  let parsed: unknown;
  try {
    parsed = parser.parse(body.toString('utf8'), true);
  } catch {
    throw refuse('MalformedXML');
  }
  const found = isRecord(parsed) ? parsed[root] : undefined;
  if (found === undefined) throw refuse('MalformedXML');
  return reader(found);
}

export interface Parsed {
  text(name: string): string | undefined;
  child(name: string): Parsed | undefined;
  all(name: string): readonly Parsed[];
}

const parser = new XMLParser({
  trimValues: false,
  parseTagValue: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  processEntities: false,
});

function reader(value: unknown): Parsed {
  const get = (name: string): unknown => (isRecord(value) ? value[name] : undefined);
  return {
    text(name) {
      const found = get(name);
      return typeof found === 'string' ? unescaped(found) : undefined;
    },
    child(name) {
      const found = get(name);
      return found === undefined ? undefined : reader(found);
    },
    all(name) {
      const found = get(name);
      if (found === undefined) return [];
      return (Array.isArray(found) ? found : [found]).map(reader);
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inner(element: Element): string {
  if (element === undefined) return '';
  if (Array.isArray(element)) return element.map(inner).join('');
  if (typeof element !== 'object') return escaped(String(element));
  return Object.entries(element)
    .map(([name, child]) => {
      if (child === undefined) return '';
      const many: readonly Element[] = Array.isArray(child) ? child : [child];
      return many.map((each) => `<${name}>${inner(each)}</${name}>`).join('');
    })
    .join('');
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Line breaks and controls as references: a parser would make one out of `\r\n`, and may trim. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (sign) => `&${Object.keys(named).find((name) => named[name] === sign)};`)
    .replace(/\p{Cc}/gu, (sign) => `&#${sign.charCodeAt(0)};`);
}

function unescaped(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return named[name ?? ''] ?? whole;
    },
  );
}
