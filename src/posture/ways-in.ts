import type { ComposeMap } from '../protocol/compose-file.ts';
import { hasVariable, itemsOf, textsIn } from '../protocol/compose-merge.ts';
import { type Fault, unknown, violated } from './finding.ts';
import type { Stack } from './stack.ts';

export function* portFaults(service: ComposeMap): Generator<Fault> {
  const ports = service.entries.get('ports');
  if (ports === undefined) return;
  const remedy = 'use `expose`, and reach it from a container of its network';
  if (ports.kind === 'scalar' && ports.text !== null) yield violated(ports, 'has `ports` that are no list', remedy);
  for (const item of itemsOf(ports)) {
    const published = item.kind === 'map' ? (item.entries.get('published') ?? item.entries.get('target')) : item;
    const text = published?.kind === 'scalar' ? published.text : null;
    yield violated(item, `publishes ${text === null ? 'a port' : `port ${text}`} on the host`, remedy);
  }
}

export function* labelFaults(service: ComposeMap): Generator<Fault> {
  const deploy = service.entries.get('deploy');
  const labels = [service.entries.get('labels'), deploy?.kind === 'map' ? deploy.entries.get('labels') : undefined];
  const remedy = 'remove the label: nothing of this stack is routed';
  for (const node of labels) {
    if (node?.kind !== 'map') continue;
    for (const [name, value] of node.entries) {
      // Traefik takes its names in any case.
      if (/^\[?traefik\b/i.test(name)) yield violated(value, `has the label ${name} of Traefik`, remedy);
      else if (hasVariable(name) || name.startsWith('['))
        yield unknown(value, 'has a label whose name is known only where it runs', 'write its name');
    }
  }
  const file = service.entries.get('label_file');
  if (itemsOf(file).length > 0 && file !== undefined)
    yield unknown(file, 'takes labels from a file, which is not looked into here', 'write them as `labels`');
}

/** Each service is on one network, the same for all, and from that one nothing leads out or in. */
export function* networkFaults(service: ComposeMap, stack: Stack): Generator<Fault> {
  const mode = service.entries.get('network_mode');
  if (mode?.kind === 'scalar' && mode.text !== null) {
    const shared = /^service:(.+)$/.exec(mode.text)?.[1];
    if (mode.text === 'none' || (shared !== undefined && stack.services.has(shared))) return;
    yield violated(mode, `has the network of "${mode.text}"`, 'remove `network_mode`, and name the internal network');
    return;
  }
  const named = service.entries.get('networks');
  const own = named?.kind === 'map' && named.entries.size > 0 ? [...named.entries] : [['default', service] as const];
  const [first = 'default'] = sharedNetworks(stack);
  for (const [name, node] of own) {
    if (name !== first || own.length > 1) {
      const problem = own.length > 1 ? `is on ${own.length} networks` : `is on "${name}", and others on "${first}"`;
      yield violated(node, problem, 'keep one internal network for the whole stack');
      if (own.length > 1) break;
    }
  }
}

/** The networks that are used, whichever services are on them. */
export function* openNetworkFaults(stack: Stack): Generator<Fault> {
  for (const name of sharedNetworks(stack)) yield* openFaultsOf(name, stack);
}

function* openFaultsOf(name: string, { networks, root }: Stack): Generator<Fault> {
  const network = networks.get(name);
  const remedy = `write \`internal: true\` for the network "${name}" under \`networks\``;
  if (network === undefined || network.kind !== 'map') {
    yield violated(network ?? root, `the network "${name}" is not internal`, remedy);
    return;
  }
  const said = (key: string): string | undefined => [...textsIn(network.entries.get(key) ?? network)][0]?.text;
  if (network.entries.has('external') && said('external') !== 'false') {
    const problem = `the network "${name}" was made elsewhere: whether it is internal can't be seen here`;
    yield unknown(network.entries.get('external') ?? network, problem, 'make it here, with `internal: true`');
    return;
  }
  const internal = network.entries.get('internal');
  const text = internal?.kind === 'scalar' ? (internal.text ?? '') : '';
  if (hasVariable(text)) yield unknown(internal ?? network, `a variable says whether the network "${name}" is internal`, remedy);
  else if (text !== 'true') yield violated(internal ?? network, `the network "${name}" is not internal`, remedy);
}

/** Networks by how many services are on them, the most first. */
function sharedNetworks({ services }: Stack): readonly string[] {
  const counts = new Map<string, number>();
  for (const { entries } of services.values()) {
    if (entries.has('network_mode')) continue;
    const named = entries.get('networks');
    for (const name of named?.kind === 'map' && named.entries.size > 0 ? named.entries.keys() : ['default'])
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([name]) => name);
}
