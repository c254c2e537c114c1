import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandContext, CommandDefinition } from 'artifactstore';
import { keep } from '../ingest/keep.ts';
import { positiveInteger } from '../ingest/numbers.ts';
import { ownSchemaPath, readSchema, type SchemaFile } from '../ingest/schema.ts';
import type { Library, Tools } from '../tools.ts';
import { linkIngested } from './link.ts';
import { producer } from './producer.ts';
import { readRun } from './read-run.ts';

interface IngestOptions {
  readonly retentionClass?: string;
  readonly jobs: number;
}

const setting = 'ARTIFACTSTORE_GUIDE_BOARD_SCHEMA';

export function guideBoardIngest(tools: Tools): CommandDefinition {
  return (command, context) => {
    command
      .argument('<run-dir>', 'the directory of one run; the whole of it is kept')
      .option('--retention-class <slug>', "how long it is kept; overrides the run's retention-summary.json")
      .option('--jobs <n>', 'requests at once', positiveInteger, 8)
      .addHelpText(
        'after',
        `
The same run again gives the same package. A run whose files have changed under
the same id is refused, with exit code 4. With STATE_HUB_URL set, State Hub gets
a link to the package; exit code 7 says that only the link is missing.

Examples:
  $ artifactstore guide-board ingest ./runs/run-20260513T210255Z
  $ artifactstore guide-board ingest ./runs/run-20260513T210255Z --retention-class release-evidence`,
      )
      .action(async (directory: string, options: IngestOptions) => {
        await ingestRun(tools, context(), resolve(context().directory, directory), options);
      });
  };
}

async function ingestRun(tools: Tools, context: CommandContext, directory: string, options: IngestOptions): Promise<void> {
  const { library } = tools;
  await keep(tools, context, {
    schema: runSchema(library, context),
    jobs: options.jobs,
    async read(work) {
      const { scanned, runId, targetProfileRef, metadata, ...run } = await readRun(work, directory);
      const retentionClass = options.retentionClass ?? run.retentionClass;
      if (retentionClass === undefined)
        throw new library.ArtifactstoreError(
          'invalid_value',
          'The run does not say its retention class: retention-summary.json has no retention_class.',
          { field: 'retention_class', info: { hint: 'choose one with --retention-class' } },
        );
      return {
        scanned,
        producer,
        identity: { key: 'run_id', value: runId },
        name: runId,
        subject: targetProfileRef,
        retentionClass,
        metadata: { ...metadata, run_dir: directory },
      };
    },
    async onSealed(work, { package_id: id }) {
      if (context.config.stateHub !== undefined) await linkIngested(work, id);
    },
  });
}

/** The configured one, or else the package's own: the default is found wherever the command is called. */
function runSchema(library: Library, { config }: CommandContext): SchemaFile {
  const path = config.guideBoardSchema;
  const isDefault = config.describe()[setting] === 'schemas/guide-board.run.v1.json';
  return readSchema(library, isDefault && !existsSync(path) ? ownSchemaPath('guide-board.run.v1.json') : path, setting);
}
