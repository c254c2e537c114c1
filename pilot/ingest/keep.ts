import type { CommandContext } from 'artifactstore';
import { type Tools, type Work, withRegistry } from '../tools.ts';
import { type Ingested, ingest, type Submission } from './ingest.ts';
import type { Scan } from './scan.ts';
import { registerSchema, type SchemaFile } from './schema.ts';

/** What a pilot reads of a directory before anything is made. */
export interface Reading extends Omit<Submission, 'schema' | 'jobs'> {
  readonly scanned: Scan;
}

export interface KeepOptions {
  readonly schema: SchemaFile;
  readonly jobs: number;
  readonly read: (work: Work) => Promise<Reading>;
  /** When it is sealed and printed. */
  readonly onSealed?: (work: Work, ingested: Ingested) => Promise<void>;
}

/** Every pilot's `ingest`: reads, keeps once, prints JSON. */
export async function keep(tools: Tools, context: CommandContext, { schema, jobs, read, onSealed }: KeepOptions): Promise<void> {
  await withRegistry(tools, context, async (work) => {
    const { scanned, ...submission } = await read(work);
    await registerSchema(work, schema);
    const ingested = await ingest(work, scanned, { ...submission, schema, jobs });
    context.output.value(ingested);
    await onSealed?.(work, ingested);
  });
}
