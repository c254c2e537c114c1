import { resolve } from 'node:path';
import { verifyLogFile } from '../../client/log-file.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';
import { createProgressCount } from '../terminal/progress-count.ts';

interface Verdict {
  readonly ok: boolean;
  readonly firstSequence?: number;
  readonly sequence: number;
  readonly chain_digest: string;
  readonly reason?: string;
}

export const eventsVerify: Definition = (command, context) => {
  command
    .option('--input <file>', 'check an exported log instead: a file of `events --json` or `events --output`')
    .addHelpText(
      'after',
      `
Reads the database directly, beside a running server or without one, and makes
nothing: a copy on read-only media is enough. Checks that no sequence is
missing, that every payload matches its digest, that every event continues the
chain, and that the log ends where its head says. Ends with exit code 5 when one
of these is not so, and with 3 when the log is empty: then nothing was checked.
With --input neither a database nor a server is needed.

Examples:
  $ artifactstore events verify --json
  $ artifactstore events --json > log.jsonl && artifactstore events verify --input log.jsonl`,
    )
    .action(async ({ input }: { readonly input?: string }) => {
      const given = context();
      using progress = createProgressCount(given.output, 'checking events');
      const verdict = await (input === undefined
        ? ofDatabase(given, progress.show)
        : ofFile(resolve(given.directory, input), progress.show));
      progress.end();
      report(given, verdict, input);
    });
};

async function ofDatabase({ config, openStore }: Context, onProgress: (done: number, total: number) => void): Promise<Verdict> {
  await using store = await openStore(config, { parts: 'database', readOnly: true });
  return await store.operator.verifyEvents(onProgress);
}

async function ofFile(path: string, onProgress: (done: number, total: number) => void): Promise<Verdict> {
  return await verifyLogFile(path, '--input', onProgress);
}

const gapHint = 'an export with --type, --subject-kind or --subject-id has gaps, and cannot be verified: export without them';

function report(context: Context, verdict: Verdict, input: string | undefined): void {
  const { output } = context;
  const fromFile = input !== undefined;
  const { ok, firstSequence = 1, sequence, chain_digest, reason } = verdict;
  const empty = ok && sequence === 0;
  const begins = firstSequence > 1 ? { first_sequence: firstSequence } : {};
  if (output.json) output.value({ ok: ok && !empty, ...begins, sequence, chain_digest, ...(empty ? { empty } : {}) });
  if (!ok)
    throw new ArtifactstoreError('integrity_failure', `The log is good up to event ${sequence}, and then ${reason ?? 'it is broken'}.`, {
      // An export with a filter is no log, and no sign that somebody cut one.
      info: { sequence, chain_digest, ...(/^sequence \d+ follows/.test(reason ?? '') && fromFile ? { hint: gapHint } : {}) },
    });
  if (empty) {
    output.warn(
      `${fromFile ? `the log in "${input}"` : 'the log of this database'} is empty: it has no event, so nothing was checked. Is it the right one?`,
    );
    context.exitWith(exitCode.notFound);
    return;
  }
  if (output.json) return;
  const from = firstSequence > 1 ? ` from event ${firstSequence}` : '';
  output.line(`${output.colors.green('verified')} the log${from} up to event ${sequence}: ${chain_digest}`);
  if (firstSequence > 1) output.note(`what is before event ${firstSequence} is not in the file, and was not checked`);
}
