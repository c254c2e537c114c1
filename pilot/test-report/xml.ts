import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Library } from '../tools.ts';

/** An element: attributes by `@name`, elements by name. */
export type Element = Readonly<Record<string, unknown>>;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  processEntities: false,
  ignoreDeclaration: true,
});

/** The root of a document, with its name; what is malformed is named by file, line and column. */
export function parseXml(library: Library, relativePath: string, bytes: Uint8Array): { readonly name: string; readonly root: Element } {
  const text = Buffer.from(bytes).toString('utf8');
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    const { line, col, msg } = valid.err;
    throw new library.ArtifactstoreError(
      'invalid_value',
      `"${relativePath}": The XML is malformed at line ${line}, column ${col}: ${msg.replace(/\.$/, '')}.`,
      {
        field: relativePath,
        info: { line, column: col },
      },
    );
  }
  const document = parser.parse(text) as Element;
  const name = Object.keys(document).find((key) => !/^[?!#]/.test(key)) ?? '';
  return { name, root: isElement(document[name]) ? document[name] : {} };
}

export function childrenOf(element: Element, name: string): readonly Element[] {
  const found = element[name];
  // An element with neither attributes nor children is an empty text.
  return (Array.isArray(found) ? found : found === undefined ? [] : [found]).map((child: unknown) => (isElement(child) ? child : {}));
}

/** An attribute as a number from 0, or undefined. */
export function numberOf(element: Element, attribute: string): number | undefined {
  const text = element[`@${attribute}`];
  const value = typeof text === 'string' && /^\d+(\.\d+)?$/.test(text.replaceAll(',', '')) ? Number(text.replaceAll(',', '')) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function isElement(value: unknown): value is Element {
  return typeof value === 'object' && value !== null;
}
