import type { ComposeList, ComposeMap, ComposeNode, ComposeScalar } from './compose-file.ts';

/**
 * A whole file over another one, as Compose merges several `-f` (compose-spec, merge): maps by their keys, lists one
 * behind the other, `command`, `entrypoint` and a check's `test` replaced; `!override` replaces, and `!reset` is kept
 * for `withoutReset`. Services are already in long form (`inLongForm`).
 */
export function mergeCompose(base: ComposeMap, over: ComposeMap): ComposeMap {
  const entries = new Map(base.entries);
  for (const [name, node] of over.entries) {
    const below = entries.get(name);
    entries.set(name, below === undefined ? node : mergeNode(name, below, node));
  }
  return { kind: 'map', at: over.at, entries };
}

const replaced: ReadonlySet<string> = new Set(['command', 'entrypoint', 'test']);

function mergeNode(name: string, base: ComposeNode, over: ComposeNode): ComposeNode {
  if (base.tag === 'reset' || over.tag !== undefined || replaced.has(name)) return over;
  // A key without a value says nothing.
  if (over.kind === 'scalar' && over.text === null && base.kind !== 'scalar') return base;
  if (base.kind === 'map' && over.kind === 'map') return mergeCompose(base, over);
  if (base.kind === 'list' && over.kind === 'list') return { kind: 'list', at: over.at, items: [...base.items, ...over.items] };
  return over;
}

/** After the last merge: without what `!reset` takes out. */
export function withoutReset(map: ComposeMap): ComposeMap {
  const kept = [...map.entries].filter(([, node]) => node.tag !== 'reset');
  return { ...map, entries: new Map(kept.map(([name, node]) => [name, node.kind === 'map' ? withoutReset(node) : node])) };
}

/** A service in the form in which services meet: lists of `NAME=value` and mounts as maps, by name and by target. */
export function inLongForm(service: ComposeMap): ComposeMap {
  const entries = new Map<string, ComposeNode>();
  for (const [name, node] of service.entries) entries.set(name, longForms[name]?.(node) ?? node);
  return { ...service, entries };
}

const longForms: Readonly<Record<string, (node: ComposeNode) => ComposeNode>> = {
  environment: namedValues,
  labels: namedValues,
  annotations: namedValues,
  sysctls: namedValues,
  networks: namesAlone,
  depends_on: namesAlone,
  volumes: mountsByTarget,
  env_file: asList,
  label_file: asList,
  tmpfs: asList,
  build: (node) => within(node, 'args', namedValues),
  deploy: (node) => within(node, 'labels', namedValues),
};

function within(node: ComposeNode, name: string, change: (node: ComposeNode) => ComposeNode): ComposeNode {
  const inner = node.kind === 'map' ? node.entries.get(name) : undefined;
  return node.kind === 'map' && inner !== undefined ? { ...node, entries: new Map([...node.entries, [name, change(inner)]]) } : node;
}

function asList(node: ComposeNode): ComposeNode {
  if (node.kind === 'list' || (node.kind === 'scalar' && node.text === null)) return node;
  return { kind: 'list', at: node.at, tag: node.tag, items: [node] };
}

/** `- NAME=value`, and `- NAME` for a value that comes from where Compose runs. */
function namedValues(node: ComposeNode): ComposeNode {
  return fromList(node, (item) => {
    const { text } = item;
    const equals = text?.indexOf('=') ?? -1;
    if (text === null) return undefined;
    return equals < 0 ? [text, { ...item, text: null }] : [text.slice(0, equals), { ...item, text: text.slice(equals + 1) }];
  });
}

function namesAlone(node: ComposeNode): ComposeNode {
  return fromList(node, (item) => (item.text === null ? undefined : [item.text, { ...item, text: null }]));
}

function fromList(node: ComposeNode, entry: (item: ComposeScalar) => readonly [string, ComposeNode] | undefined): ComposeNode {
  if (node.kind !== 'list') return node;
  const entries = new Map<string, ComposeNode>();
  for (const item of node.items) {
    const named = item.kind === 'scalar' ? entry(item) : undefined;
    // What has no such form stays where it is seen, under a name that nothing else has.
    const [name, value] = named ?? [placeName(item), item];
    entries.set(name, value);
  }
  return { kind: 'map', at: node.at, tag: node.tag, entries };
}

function mountsByTarget(node: ComposeNode): ComposeNode {
  if (node.kind !== 'list') return node;
  const entries = new Map<string, ComposeNode>();
  for (const item of node.items) {
    entries.set(mountTarget(item) ?? placeName(item), item);
  }
  return { kind: 'map', at: node.at, tag: node.tag, entries };
}

/** No file takes away what another one has without a name. */
function placeName({ at }: ComposeNode): string {
  return `[${at.file}:${at.line}]`;
}

/** Where in the container; undefined where that depends on a variable, or the text is none of a mount. */
function mountTarget(item: ComposeNode): string | undefined {
  const mount = readMount(item);
  return mount?.target === undefined ? undefined : tidyPath(mount.target);
}

/** Without a `/` at the end, and without `/./`. */
export function tidyPath(path: string): string {
  return path.replace(/\/(\.?\/)+/g, '/').replace(/(.)\/\.?$/, '$1');
}

export interface ComposeMount {
  readonly type: string;
  /** A volume's name, or a path of the host; undefined for a volume without a name. */
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
}

/**
 * A mount in its short (`source:target:mode`) or long form; undefined where it depends on a variable, or is neither.
 */
export function readMount(item: ComposeNode): ComposeMount | undefined {
  if (item.kind === 'list') return undefined;
  if (item.kind === 'map') return readLongMount(item);
  if (item.text === null || hasVariable(item.text)) return undefined;
  const parts = item.text.split(':');
  const [first = '', second, mode = ''] = parts;
  if (parts.length > 3 || first === '') return undefined;
  if (second === undefined) return { type: 'volume', source: undefined, target: first, readOnly: false };
  const type = /^[./~]/.test(first) ? 'bind' : 'volume';
  return { type, source: first, target: second, readOnly: mode.split(',').includes('ro') };
}

function readLongMount({ entries }: ComposeMap): ComposeMount | undefined {
  const text = (name: string): string | undefined => scalarIn(entries.get(name));
  const wanted = ['type', 'source', 'src', 'target', 'dst', 'destination', 'read_only', 'readonly'];
  if (wanted.some((name) => hasVariable(text(name) ?? ''))) return undefined;
  const target = text('target') ?? text('dst') ?? text('destination');
  if (target === undefined) return undefined;
  const readOnly = (text('read_only') ?? text('readonly')) === 'true';
  return { type: text('type') ?? 'volume', source: text('source') ?? text('src'), target, readOnly };
}

function scalarIn(node: ComposeNode | undefined): string | undefined {
  return node?.kind === 'scalar' && node.text !== null ? node.text : undefined;
}

/** Whether Compose replaces something in a text: `$NAME` or `${NAME}`; `$$` is a dollar. */
export function hasVariable(text: string): boolean {
  return /\$(?=[A-Za-z_{])/.test(text.replaceAll('$$', ''));
}

/** Every text in it, with where it is. */
export function* textsIn(node: ComposeNode): Generator<ComposeScalar & { readonly text: string }> {
  if (node.kind === 'scalar') {
    if (node.text !== null) yield { ...node, text: node.text };
    return;
  }
  for (const each of node.kind === 'map' ? node.entries.values() : node.items) yield* textsIn(each);
}

/** The items of a list, or those of a map; none where there is neither. */
export function itemsOf(node: ComposeNode | undefined): ComposeList['items'] {
  if (node === undefined || node.kind === 'scalar') return [];
  return node.kind === 'list' ? node.items : [...node.entries.values()];
}
