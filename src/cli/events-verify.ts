import { ArtifactstoreError } from '../kernel/error.ts';
import type { Definition } from './definition.ts';
import { createProgressCount } from './progress-count.ts';

export const eventsVerify: Definition = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Reads the database directly, beside a running server or without one. Checks that no sequence is missing, that every payload
matches its digest, and that every event continues the chain. Ends with exit code 5 when one does not.

Example:
  $ artifactstore events verify --json`,
    )
    .action(async () => {
      const given = context();
      const { output } = given;
      await using store = await given.openStore(given.config, {});
      using progress = createProgressCount(output, 'checking events');
      const { ok, sequence, chain_digest, reason } = await store.operator.verifyEvents(progress.show);
      progress.end();
      if (output.json) output.value({ ok, sequence, chain_digest });
      else if (ok) output.line(`${output.colors.green('verified')} the log up to event ${sequence}: ${chain_digest}`);
      if (!ok)
        throw new ArtifactstoreError(
          'integrity_failure',
          `The log is good up to event ${sequence}, and then ${reason ?? 'it is broken'}.`,
          {
            info: { sequence, chain_digest },
          },
        );
    });
};
