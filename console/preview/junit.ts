/** A test of a JUnit report that did not pass. */
export interface FailedTest {
  readonly name: string;
  readonly kind: 'failure' | 'error';
  /** What it says, or the first line of its text; empty where it says nothing. */
  readonly message: string;
}

const longestMessage = 1_000;
/** A value has no `<` as it is, so that what never ends is looked at once. */
const tags = /<(\/?)(testcase|failure|error)(?=[\s/>])((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>/g;

/** The first tests that failed, in the order of the report. `most` bounds them. */
export function failedTests(content: string, most: number): readonly FailedTest[] {
  const plain = content
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/<!\[CDATA\[([\s\S]*?)\]\]>/g, (_, text: string) =>
      text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    );
  const found: FailedTest[] = [];
  let name = '';
  let open: { readonly kind: FailedTest['kind']; readonly said: string | undefined; readonly from: number } | undefined;
  const close = (text: string): void => {
    if (open === undefined) return;
    const message = open.said ?? decoded(text).trim().split('\n', 1)[0]!;
    found.push({ name, kind: open.kind, message: message.trim().slice(0, longestMessage) });
    open = undefined;
  };
  for (const match of plain.matchAll(tags)) {
    if (found.length === most) break;
    const [tag, end, element, attributes = ''] = match;
    if (element === 'testcase') name = end === '/' ? '' : nameOf(attributes);
    else if (end === '/') close(plain.slice(open?.from, match.index));
    else {
      open = { kind: element as FailedTest['kind'], said: attributeOf(attributes, 'message'), from: match.index + tag.length };
      if (attributes.endsWith('/')) close('');
    }
  }
  return found;
}

function nameOf(attributes: string): string {
  return [attributeOf(attributes, 'classname'), attributeOf(attributes, 'name')].filter((each) => each !== undefined).join(' ');
}

/** Undefined where it is missing or says nothing. */
function attributeOf(attributes: string, name: string): string | undefined {
  const [, , double, single] = new RegExp(`(?:^|\\s)${name}\\s*=\\s*("([^"]*)"|'([^']*)')`).exec(attributes) ?? [];
  const value = decoded(double ?? single ?? '').trim();
  return value === '' ? undefined : value;
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name.toLowerCase()]!;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point <= 0x10_ffff ? String.fromCodePoint(point) : whole;
    },
  );
}
