import { dirname, resolve } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { type ComposeMap, type ComposeNode, type ComposePlace, parseComposeFile } from '../protocol/compose-file.ts';
import { inLongForm, itemsOf, mergeCompose, withoutReset } from '../protocol/compose-merge.ts';

/** What several Compose files together say. */
export interface Stack {
  readonly files: readonly string[];
  /** The whole, merged. */
  readonly root: ComposeMap;
  /** In long form, with what they extend; those behind a profile too. */
  readonly services: ReadonlyMap<string, ComposeMap>;
  readonly networks: ReadonlyMap<string, ComposeNode>;
  readonly volumes: ReadonlyMap<string, ComposeNode>;
}

const mostFiles = 100;

/**
 * Reads Compose files as `docker compose -f A -f B` merges them, with what they `include` and `extends`. `read` gives
 * the text of a file by its absolute path. Errors: `invalid_configuration` with file and line, and those of `read`.
 */
export async function readStack(paths: readonly string[], read: (path: string) => Promise<string>): Promise<Stack> {
  const parsed = new Map<string, ComposeMap>();

  async function parse(path: string, namedAt: ComposePlace | undefined): Promise<ComposeMap> {
    const known = parsed.get(path);
    if (known !== undefined) return known;
    if (parsed.size >= mostFiles) throw refused(`These files lead to more than ${mostFiles} others.`);
    const text = await read(path).catch((error: unknown) => {
      throw namedAt === undefined ? error : withPlace(error, namedAt);
    });
    const result = parseComposeFile(text, path);
    if ('problem' in result) throw refusedAt(result.at, result.problem);
    parsed.set(path, result.root);
    return result.root;
  }

  /** With what it includes below it, and its services whole. */
  async function whole(path: string, above: readonly string[], namedAt?: ComposePlace): Promise<ComposeMap> {
    const root = await parse(path, namedAt);
    let merged: ComposeMap = { kind: 'map', at: root.at, entries: new Map() };
    for (const entry of itemsOf(root.entries.get('include')))
      for (const named of includedBy(entry)) {
        const included = resolve(dirname(path), requireText(named, 'include'));
        if ([...above, path].includes(included)) throw refusedAt(named.at, `it includes itself, by ${included}`);
        merged = mergeCompose(merged, await whole(included, [...above, path], named.at));
      }
    const services = new Map<string, ComposeNode>();
    for (const [name, node] of mapIn(root, 'services', 'a map of services'))
      services.set(name, node.tag === 'reset' ? node : await service(path, name, []));
    const entries = new Map(root.entries);
    const at = root.entries.get('services')?.at ?? root.at;
    if (root.entries.has('services')) entries.set('services', { kind: 'map', at, entries: services });
    return mergeCompose(merged, { ...root, entries });
  }

  async function service(path: string, name: string, extending: readonly string[], namedAt?: ComposePlace): Promise<ComposeMap> {
    const root = await parse(path, namedAt);
    const node = mapIn(root, 'services', 'a map of services').get(name);
    if (node === undefined) throw refused(`${path} has no service "${name}" to extend.`);
    if (node.kind !== 'map') throw refusedAt(node.at, `the service "${name}" is no map`);
    const own = inLongForm(node);
    const wanted = own.entries.get('extends');
    if (wanted === undefined) return own;
    const key = `${path} ${name}`;
    if (extending.includes(key)) throw refusedAt(wanted.at, `the service "${name}" extends itself`);
    const from = extendedBy(wanted);
    const file = from.file === undefined ? path : resolve(dirname(path), from.file);
    const entries = new Map(own.entries);
    entries.delete('extends');
    return mergeCompose(await service(file, from.service, [...extending, key], wanted.at), { ...own, entries });
  }

  await requireReadable(paths, parse);
  let merged: ComposeMap | undefined;
  for (const path of paths) {
    const next = await whole(path, []);
    merged = merged === undefined ? next : mergeCompose(merged, next);
  }
  if (merged === undefined) throw refused('There is no Compose file to look at.');
  const root = withoutReset(merged);
  const services = mapIn(root, 'services', 'a map of services');
  if (services.size === 0) throw refusedAt(root.at, 'it has no services');
  return {
    files: [...parsed.keys()],
    root,
    services: new Map([...services].flatMap(([name, node]) => (node.kind === 'map' ? [[name, node] as const] : []))),
    networks: mapIn(root, 'networks', 'a map of networks'),
    volumes: mapIn(root, 'volumes', 'a map of volumes'),
  };
}

/** What is wrong with several of the files that were given is told at once. */
async function requireReadable(
  paths: readonly string[],
  parse: (path: string, namedAt: ComposePlace | undefined) => Promise<ComposeMap>,
): Promise<void> {
  const errors: ArtifactstoreError[] = [];
  for (const path of paths)
    try {
      await parse(path, undefined);
    } catch (error) {
      if (!isArtifactstoreError(error)) throw error;
      errors.push(error);
    }
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1) throw first;
  throw refused(`${errors.length} of these files cannot be used:\n${errors.map(({ message }) => `  ${message}`).join('\n')}`);
}

function mapIn(root: ComposeMap, name: string, wanted: string): ReadonlyMap<string, ComposeNode> {
  const node = root.entries.get(name);
  if (node === undefined || (node.kind === 'scalar' && node.text === null)) return new Map();
  if (node.kind !== 'map') throw refusedAt(node.at, `"${name}" is not ${wanted}`);
  return node.entries;
}

/** `- file`, or `- path: file` with one or several. */
function includedBy(entry: ComposeNode): readonly ComposeNode[] {
  if (entry.kind !== 'map') return [entry];
  const path = entry.entries.get('path');
  if (path === undefined) throw refusedAt(entry.at, '"include" has no path');
  return path.kind === 'list' ? path.items : [path];
}

function extendedBy(node: ComposeNode): { readonly service: string; readonly file: string | undefined } {
  if (node.kind !== 'map') return { service: requireText(node, 'extends'), file: undefined };
  const [service, file] = [node.entries.get('service'), node.entries.get('file')];
  if (service === undefined) throw refusedAt(node.at, '"extends" names no service');
  return { service: requireText(service, 'extends'), file: file === undefined ? undefined : requireText(file, 'extends') };
}

function requireText(node: ComposeNode, name: string): string {
  if (node.kind === 'scalar' && node.text !== null && !node.text.includes('$')) return node.text;
  throw refusedAt(node.at, `"${name}" wants a name here, without variables`);
}

/** A file that nobody gave by name is not found without the place that names it. */
function withPlace(error: unknown, { file, line }: ComposePlace): unknown {
  if (!isArtifactstoreError(error)) return error;
  return new ArtifactstoreError(error.code, `${error.message} ${file}:${line} names it.`, { field: '--compose', cause: error.cause });
}

function refusedAt({ file, line }: ComposePlace, problem: string): ArtifactstoreError {
  return refused(`${file}:${line}: ${problem}.`);
}

function refused(message: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', message, { field: '--compose' });
}
