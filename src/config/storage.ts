import { resolve } from 'node:path';
import { type BackendConfig, type BackendKind, kindOf } from '../storage/kind.ts';
import { parseRoutes, type StorageRoute } from './routes.ts';
import type { Settings } from './settings.ts';

export interface StorageConfig {
  readonly backends: readonly BackendConfig[];
  readonly defaultBackend: string;
  readonly routes: readonly StorageRoute[];
  readonly spoolDirectory: string;
}

/** Which backends there are, each with the settings of its kind, and what goes where. */
export function readStorage(settings: Settings, directory: string, kinds: readonly BackendKind[]): StorageConfig {
  const named = parseBackends(settings, kinds);
  const ids = named.map(({ id }) => id);
  const backends = named.map(({ kind, id }) => kind.readConfig(settings, { id, directory, used: true }));
  // Read even where nobody uses them, so that a mistake shows before it matters, and so that their names are known.
  for (const kind of kinds) if (!ids.includes(kind.kind)) kind.readConfig(settings, { id: kind.kind, directory, used: false });
  refuseShared(settings, backends, kinds);
  const spoolDirectory = resolve(directory, settings.text('STORAGE_SPOOL_ROOT', './var/spool'));
  const defaultBackend = settings.text('STORAGE_DEFAULT_BACKEND', ids.length === 1 ? ids[0]! : 'local');
  // Without any, what is wrong with their list says it.
  if (ids.length > 0 && !ids.includes(defaultBackend))
    settings.refuse('STORAGE_DEFAULT_BACKEND', `"${defaultBackend}" is not one of ${ids.join(', ')}`);
  const routes = settings.parsed('STORAGE_BACKEND_ROUTES', '', (text) => parseRoutes(text, ids));
  return { backends, defaultBackend, routes, spoolDirectory };
}

interface NamedKind {
  readonly id: string;
  readonly kind: BackendKind;
}

/** `id:kind`, or a kind alone, which then is the name too. */
function parseBackends(settings: Settings, kinds: readonly BackendKind[]): readonly NamedKind[] {
  const refuse = (text: string): void => settings.refuse('STORAGE_BACKENDS', text);
  const entries = settings.list('STORAGE_BACKENDS', 'local');
  const names = kinds.map(({ kind }) => `"${kind}"`).join(' and ');
  const found = new Map<string, NamedKind>();
  for (const entry of entries) {
    const [id = '', name = id, ...rest] = entry.split(':').map((part) => part.trim());
    const kind = kinds.find((each) => each.kind === name);
    if (rest.length > 0 || !legalId.test(id)) refuse(`"${entry}" is not id:kind, with an id of small letters, digits and hyphens`);
    else if (kind === undefined) refuse(`"${entry}": "${name}" is no kind of backend; the kinds are ${names}`);
    else if (found.has(id)) refuse(`names "${id}" twice`);
    else found.set(id, { id, kind });
  }
  if (entries.length === 0) refuse('names no backend; the default is "local"');
  for (const { id, kind } of found.values())
    if (id !== kind.kind && kinds.some((each) => each.kind === id)) refuse(`"${id}:${kind.kind}" is called as another kind`);
  return [...found.values()];
}

const legalId = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** Two backends in one place would collect each other's objects. */
function refuseShared(settings: Settings, backends: readonly BackendConfig[], kinds: readonly BackendKind[]): void {
  const places = backends.map((backend) => ({ id: backend.id, ...kindOf(backend, kinds).nameOf(backend) }));
  for (const [index, inner] of places.entries())
    for (const [other, outer] of places.entries())
      if (index !== other && `${inner.where}/`.startsWith(`${outer.where}/`) && (inner.where !== outer.where || index > other))
        settings.refuse(
          'STORAGE_BACKENDS',
          inner.where === outer.where
            ? `"${outer.id}" and "${inner.id}" are one place, ${inner.where}`
            : `"${inner.id}" (${inner.where}) lies within "${outer.id}" (${outer.where})`,
        );
}
