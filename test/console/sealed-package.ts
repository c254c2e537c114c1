import type { Package, Registry } from '../../src/registry/REGISTRY.ts';

/** A sealed package with these files: text by path. */
export async function sealedPackage(
  registry: Registry,
  files: Readonly<Record<string, string>>,
  named: Partial<Package> = {},
): Promise<Package> {
  const { name = 'nightly run', producer = 'ci', subject = 'nightly', retention_class = 'raw-evidence', metadata = {} } = named;
  const { record } = await registry.packages.create({ name, producer, subject, retention_class, metadata });
  for (const [relative_path, text] of Object.entries(files))
    await registry.files.add(record.id, { relative_path, media_type: typeOf(relative_path), body: bodyOf(text) });
  await registry.packages.finalize(record.id);
  return (await registry.packages.get(record.id))!;
}

async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function typeOf(path: string): string {
  return path.endsWith('.json') ? 'application/json' : path.endsWith('.html') ? 'text/html' : 'text/plain';
}
