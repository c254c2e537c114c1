import { resolve } from 'node:path';
import type { CommandDefinition } from 'artifactstore';
import { keep } from '../ingest/keep.ts';
import { positiveInteger } from '../ingest/numbers.ts';
import { ownSchemaPath, readSchema } from '../ingest/schema.ts';
import type { Tools } from '../tools.ts';
import { readSbom } from './read-sbom.ts';

interface IngestOptions {
  readonly retentionClass: string;
  readonly jobs: number;
}

export function sbomIngest(tools: Tools): CommandDefinition {
  return (command, context) => {
    command
      .argument('<dir>', 'the directory with one CycloneDX bill of materials and the log of its build; the whole of it is kept')
      .option('--retention-class <slug>', 'how long it is kept', 'release-evidence')
      .option('--jobs <n>', 'requests at once', positiveInteger, 8)
      .addHelpText(
        'after',
        `
There is one package for each BOM-Link, which is the bill's serialNumber and
version.

Example:
  $ artifactstore sbom ingest ./dist/sbom`,
      )
      .action(async (directory: string, { retentionClass, jobs }: IngestOptions) => {
        await keep(tools, context(), {
          schema: readSchema(tools.library, ownSchemaPath('sbom.v1.json')),
          jobs,
          async read(work) {
            const { scanned, bomLink, subject, metadata } = await readSbom(work, resolve(context().directory, directory));
            return {
              scanned,
              producer: 'sbom',
              identity: { key: 'bom_link', value: bomLink },
              name: `Bill of materials of ${subject}`.slice(0, 256),
              subject,
              retentionClass,
              metadata,
            };
          },
        });
      });
  };
}
