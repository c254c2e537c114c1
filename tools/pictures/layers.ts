/** What each part does, in a few words; a part without them is drawn with its name alone. */
const words: Readonly<Record<string, string>> = {
  main: 'put the parts together',
  cli: 'people and scripts',
  doors: 'routes and answers',
  serve: 'processes and signals',
  http: 'connections and limits',
  client: 'the registry over HTTP',
  registry: 'decides, step by step',
  backup: 'the files of a backup',
  dataplane: 'one pass over the bytes',
  database: 'the log and its views',
  storage: 'bytes at a key',
  certify: 'probes a store',
  credentials: 'keys that are valid now',
  provider: 'makes and ends keys',
  bundle: 'artifacts of a release',
  confined: 'work that can be killed',
  posture: 'who can reach a stack',
  identity: 'whose a token is',
  config: 'settings, read once',
  protocol: 'formats of others',
  runtime: 'stop, limits, rounds',
  kernel: 'what is true without I/O',
};

export interface LayersTable {
  readonly mayImport: Readonly<Record<string, readonly string[]>>;
  readonly pure: readonly string[];
}

/**
 * The table of layers as a Mermaid source: an arrow for each import that is allowed, without those to where a longer
 * way leads too. What puts the parts together, compose/ and the files directly in src/, is one part, `main`; what is
 * only a version or a contract is none. `parts` are those that there are.
 */
export function layersPicture({ mayImport, pure }: LayersTable, parts: readonly string[]): string {
  const graph = new Map<string, Set<string>>();
  for (const [part, row] of Object.entries(mayImport)) {
    const from = roomOf(part);
    if (from === undefined || !parts.includes(part)) continue;
    const reached = graph.get(from) ?? new Set();
    graph.set(from, reached);
    const allowed = [...row, 'kernel', ...(pure.includes(part) || part === 'runtime' ? [] : ['runtime'])];
    for (const to of allowed.map(roomOf)) if (to !== undefined && to !== from) reached.add(to);
  }
  const rooms = [...graph.keys()];
  const arrows = rooms.flatMap((from) => {
    const next = [...graph.get(from)!].filter((to) => graph.has(to));
    return next.filter((to) => !next.some((other) => other !== to && leads(graph, other, to))).map((to) => `  ${from} --> ${to}`);
  });
  const boxes = rooms.map((room) => `  ${room}["\`**${title(room)}**${words[room] === undefined ? '' : `\n  ${words[room]}`}\`"]`);
  const doors = rooms.filter((room) =>
    ['storage', 'dataplane', 'database', 'registry', 'credentials', 'backup', 'identity'].includes(room),
  );
  return [
    '%% The layers of src/: imports follow the arrows, never the other way',
    '%% Written by tools/pictures/draw.ts from test/layers-table.ts.',
    'flowchart TB',
    ...boxes,
    '',
    ...arrows,
    '',
    `  class ${rooms.filter((room) => pure.includes(room))} kept`,
    `  class ${doors} door\n`,
  ].join('\n');
}

function roomOf(place: string): string | undefined {
  const [first = ''] = place.split('/');
  if (['..', 'command.ts', 'version.ts'].includes(first)) return undefined;
  if (first === 'config.ts') return 'config';
  return first === 'compose' || first.endsWith('.ts') ? 'main' : first;
}

function title(room: string): string {
  return room === 'main' ? 'main, compose, index' : room;
}

function leads(graph: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  return [...(graph.get(from) ?? [])].some((next) => next === to || leads(graph, next, to));
}
