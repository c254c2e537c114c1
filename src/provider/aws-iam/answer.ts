import { XMLParser } from 'fast-xml-parser';

/** An element of an answer: its text, or what is in it; several of one name are a list. */
export type Element = string | { readonly [name: string]: Element } | readonly Element[];

export interface ApiAnswer {
  /** Of an error. */
  readonly code: string | undefined;
  /** Looked at and never shown: it may repeat what was sent. */
  readonly message: string;
  /** What the action gave; empty where it gives nothing. */
  readonly result: Element;
}

/** Undefined where it is no answer of a Query API: `<ActionResponse><ActionResult>…`, or `<ErrorResponse><Error>…`. */
export function answerOf(text: string, action: string): ApiAnswer | undefined {
  if (text.trim() === '') return { code: undefined, message: '', result: '' };
  let document: unknown;
  try {
    document = parser.parse(text, true);
  } catch {
    return undefined;
  }
  const [entry, ...more] = isElement(document) && typeof document === 'object' ? Object.entries(document) : [];
  if (entry === undefined || more.length > 0) return undefined;
  const [root, inner] = entry as [string, Element];
  if (root === 'ErrorResponse' || root === 'Error') {
    const error = root === 'Error' ? inner : childOf(inner, 'Error');
    const code = textOf(error, 'Code');
    if (code === undefined || !/^[A-Za-z0-9.]{1,64}$/.test(code)) return undefined;
    return { code, message: textOf(error, 'Message') ?? '', result: '' };
  }
  // Ceph names the answer to one action after another one, so the whole name is not asked for.
  return root.endsWith('Response') ? { code: undefined, message: '', result: childOf(inner, `${action}Result`) } : undefined;
}

/** An empty text where there is none. */
export function childOf(element: Element, name: string): Element {
  return typeof element === 'object' && !Array.isArray(element) ? ((element as Readonly<Record<string, Element>>)[name] ?? '') : '';
}

export function textOf(element: Element, name: string): string | undefined {
  const found = childOf(element, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The `<member>`s of a list, in order. */
export function membersOf(element: Element, name: string): readonly Element[] {
  const members = childOf(childOf(element, name), 'member');
  if (members === '') return [];
  return Array.isArray(members) ? (members as readonly Element[]) : [members];
}

const parser = new XMLParser({ ignoreAttributes: true, ignoreDeclaration: true, parseTagValue: false });

function isElement(value: unknown): value is Element {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}
