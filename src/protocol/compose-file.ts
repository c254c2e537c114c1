import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, type ParsedNode, parseDocument } from 'yaml';

/** Where something is said. Lines count from 1. */
export interface ComposePlace {
  readonly file: string;
  readonly line: number;
}

/** A value of a Compose file, and where it is; that of a key is where the key is. */
export type ComposeNode = ComposeMap | ComposeList | ComposeScalar;

/** How a value meets that of an earlier file: `!override` replaces it, `!reset` takes it out. */
export type ComposeTag = 'override' | 'reset';

export interface ComposeMap {
  readonly kind: 'map';
  readonly at: ComposePlace;
  readonly entries: ReadonlyMap<string, ComposeNode>;
  readonly tag?: ComposeTag | undefined;
}

export interface ComposeList {
  readonly kind: 'list';
  readonly at: ComposePlace;
  readonly items: readonly ComposeNode[];
  readonly tag?: ComposeTag | undefined;
}

export interface ComposeScalar {
  readonly kind: 'scalar';
  readonly at: ComposePlace;
  /** As written, without quotes; null where nothing is. */
  readonly text: string | null;
  readonly tag?: ComposeTag | undefined;
}

export type ParsedCompose = { readonly root: ComposeMap } | { readonly problem: string; readonly at: ComposePlace };

/** With all that anchors stand for: far more than people write, and far less than a bomb of anchors. */
const mostNodes = 100_000;

/**
 * A Compose file (compose-spec, in YAML 1.2), of one document, with its anchors and `<<` resolved. Nothing is replaced
 * that comes from the environment.
 */
export function parseComposeFile(text: string, file: string): ParsedCompose {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'error' });
  const lineAt = (offset: number | undefined): ComposePlace => ({ file, line: offset === undefined ? 1 : lines.linePos(offset).line });
  const [fault] = document.errors;
  if (fault?.code === 'MULTIPLE_DOCS')
    return { problem: 'another document begins here, which Compose merges: give each a file of its own', at: lineAt(fault.pos[0]) };
  if (fault !== undefined) return { problem: `it is no YAML that Compose takes: ${fault.message}`, at: lineAt(fault.pos[0]) };
  let nodes = 0;

  function convert(node: ParsedNode | null, at: ComposePlace, within: readonly ParsedNode[]): ComposeNode {
    nodes += 1;
    if (nodes > mostNodes) throw new Unreadable(`its anchors stand for more than ${mostNodes} values`, at);
    if (node === null) return { kind: 'scalar', at, text: null };
    if (within.includes(node)) throw new Unreadable('an anchor holds itself', at);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) throw new Unreadable(`there is no anchor "${node.source}"`, at);
      return convert(target as ParsedNode, at, [...within, node]);
    }
    const tag = tagOf(node);
    const inside = [...within, node];
    if (isMap(node)) return { kind: 'map', at, tag, entries: entriesOf(node.items as Pair<ParsedNode, ParsedNode | null>[], inside) };
    if (isSeq(node)) {
      const items = (node.items as ParsedNode[]).map((item) => convert(item, lineAt(item.range?.[0]), inside));
      return { kind: 'list', at, tag, items };
    }
    return { kind: 'scalar', at, tag, text: scalarText(node) };
  }

  /** What `<<` brings counts for less than what is there, and its first map for more than the next. */
  function entriesOf(pairs: readonly Pair<ParsedNode, ParsedNode | null>[], within: readonly ParsedNode[]): Map<string, ComposeNode> {
    const own = new Map<string, ComposeNode>();
    const merged: ComposeMap[] = [];
    for (const { key, value } of pairs) {
      const at = lineAt(key.range?.[0]);
      const name = isScalar(key) ? scalarText(key) : null;
      if (name === null) throw new Unreadable('a key is no text', at);
      const node = convert(value, at, within);
      if (name !== '<<') own.set(name, node);
      else
        for (const each of node.kind === 'list' ? node.items : [node]) {
          if (each.kind !== 'map') throw new Unreadable('"<<" wants a map', at);
          merged.push(each);
        }
    }
    for (const { entries } of merged) for (const [name, node] of entries) if (!own.has(name)) own.set(name, node);
    return own;
  }

  try {
    const root = convert(document.contents, lineAt(0), []);
    return root.kind === 'map' ? { root } : { problem: 'it holds no map of services', at: root.at };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { problem: error.message, at: error.at };
  }
}

class Unreadable extends Error {
  readonly at: ComposePlace;

  constructor(message: string, at: ComposePlace) {
    super(message);
    this.at = at;
  }
}

function tagOf({ tag }: { readonly tag?: string | undefined }): ComposeTag | undefined {
  if (tag === '!reset') return 'reset';
  return tag === '!override' ? 'override' : undefined;
}

/** A number as it is written: `8080`, and not what 0x1F90 is. */
function scalarText(node: unknown): string | null {
  if (!isScalar(node) || node.value === null || node.value === undefined) return null;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}
