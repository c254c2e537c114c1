import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { JsonObject } from 'artifactstore';
import type { Library, Work } from '../tools.ts';
import { parseObject } from './document.ts';

export interface SchemaFile {
  readonly slug: string;
  readonly jsonSchema: JsonObject;
}

/** The package's own `schemas/<name>`, in a clone and where it is installed. */
export function ownSchemaPath(name: string): string {
  return join(dirname(findPackageJSON(import.meta.url)!), 'schemas', name);
}

/** Its slug is the last part of its `$id`, or else the file's name. `setting` is what a person would correct. */
export function readSchema(library: Library, path: string, setting?: string): SchemaFile {
  if (!existsSync(path))
    throw new library.ArtifactstoreError('invalid_configuration', `The schema "${path}" is not there.`, {
      ...(setting === undefined
        ? {}
        : { field: setting, info: { hint: `set ${setting} to where it is, or leave it out for the default` } }),
    });
  const jsonSchema = parseObject(library, path, readFileSync(path));
  const { $id: id } = jsonSchema;
  const slug = typeof id === 'string' && id !== '' ? id.split(/[:/]/).at(-1)! : basename(path, '.json');
  return { slug, jsonSchema };
}

/** Registers it where it is not known yet: a registered schema never changes. */
export async function registerSchema({ registry, tools: { library } }: Work, { slug, jsonSchema }: SchemaFile): Promise<void> {
  try {
    await registry.metadataSchemas.register({ slug, json_schema: jsonSchema });
  } catch (error) {
    if (!library.isArtifactstoreError(error, 'metadata_schema_conflict')) throw error;
    throw new library.ArtifactstoreError(error.code, `The registry has another schema under the name "${slug}".`, {
      info: { ...error.info, hint: 'a schema that was registered never changes: give the new one an $id of its own' },
      cause: error,
    });
  }
}
