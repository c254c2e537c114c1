import { basename, resolve } from 'node:path';
import type { CommandDefinition } from 'artifactstore';
import { keep } from '../ingest/keep.ts';
import { positiveInteger } from '../ingest/numbers.ts';
import { ownSchemaPath, readSchema } from '../ingest/schema.ts';
import type { Tools } from '../tools.ts';
import { readTestReport } from './read-report.ts';

interface IngestOptions {
  readonly build: string;
  readonly subject?: string;
  readonly retentionClass: string;
  readonly jobs: number;
}

export function testReportIngest(tools: Tools): CommandDefinition {
  return (command, context) => {
    command
      .argument('<dir>', 'the directory with JUnit XML and, where there is any, coverage; the whole of it is kept')
      .requiredOption('--build <id>', 'which build or job it is of; there is one package for each')
      .option('--subject <subject>', 'what was tested (default: the name of the directory)')
      .option('--retention-class <slug>', 'how long it is kept', 'raw-evidence')
      .option('--jobs <n>', 'requests at once', positiveInteger, 8)
      .addHelpText(
        'after',
        `
Counts are taken from the test cases of every JUnit file, coverage from
Cobertura XML and lcov.info.

Example:
  $ artifactstore test-report ingest ./build/reports --build "$CI_JOB_ID" --subject payments`,
      )
      .action(async (directory: string, { build, subject, retentionClass, jobs }: IngestOptions) => {
        const place = resolve(context().directory, directory);
        await keep(tools, context(), {
          schema: readSchema(tools.library, ownSchemaPath('test-report.v1.json')),
          jobs,
          async read(work) {
            const { scanned, metadata } = await readTestReport(work, place);
            return {
              scanned,
              producer: 'test-report',
              identity: { key: 'build', value: build },
              name: `Tests of ${build}`,
              subject: subject ?? basename(place),
              retentionClass,
              metadata: { build, ...metadata },
            };
          },
        });
      });
  };
}
