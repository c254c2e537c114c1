import type { Store } from '../../src/compose/open-store.ts';
import { openRegistry, readConfig } from '../../src/index.ts';
import type { Incident } from '../../src/registry/incident.ts';
import type { NewFile, Registry } from '../../src/registry/REGISTRY.ts';

/** A registry whose database and storage lie in folders of their own, with more or other settings. */
export function openRegistryOn(
  folders: { readonly database: string; readonly storage: string },
  settings: Readonly<Record<string, string>> = {},
  onIncident?: (incident: Incident) => void,
): Promise<Store> {
  const environment = {
    ...settings,
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${folders.database}/artifactstore.db`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: `${folders.storage}/storage`,
  };
  const config = readConfig(environment, { directory: folders.database });
  return openRegistry(onIncident === undefined ? { config } : { config, onIncident });
}

export async function newPackage(registry: Registry): Promise<string> {
  const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  return record.id;
}

export function fileOf(relative_path: string, bytes: Uint8Array): NewFile {
  async function* body() {
    for (let first = 0; first < bytes.length; first += 65_536) yield bytes.subarray(first, first + 65_536);
  }
  return { relative_path, body: body() };
}

/** A file's bytes as they are delivered: `delivered` are those that came before the error, if there was one. */
export async function readBytes(
  registry: Registry,
  package_id: string,
  relative_path: string,
  range?: { readonly first: number; readonly last: number },
): Promise<{ readonly delivered: Buffer; readonly error?: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    const file = await registry.files.open({ package_id, relative_path }, range === undefined ? {} : { range });
    if (file === undefined) throw new Error(`there is no ${relative_path}`);
    for await (const chunk of file.body) chunks.push(new Uint8Array(chunk));
  } catch (error) {
    return { delivered: Buffer.concat(chunks), error };
  }
  return { delivered: Buffer.concat(chunks) };
}
