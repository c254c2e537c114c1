import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { addStoreOptions, type PlaceOptions, placeOf } from '../provider-options.ts';

export const providerStatus: Definition = (command, context) => {
  addStoreOptions(command);
  command
    .addHelpText(
      'after',
      `
Asks the store alone. Shows fingerprints and ids, never a value.

Examples:
  $ artifactstore provider status --store file:/etc/artifactstore/secrets`,
    )
    .action(async (options: PlaceOptions) => {
      using stop = stopOnSignal();
      const own = context();
      const { output } = own;
      const report = await (await own.provider()).status(placeOf(own, options, stop.signal));
      if (output.json) return output.value(report);
      const { pair, current, generations, unfinished, steps } = report;
      if (pair === null) output.line('no admin pair: run `artifactstore provider import-admin-pair`');
      else
        await output.table(
          ['slot', 'provider', 'fingerprint', 'ends'],
          pair.tokens.map(({ slot, fingerprint, expires_at }) => [slot, pair.provider, fingerprint, expires_at ?? 'never']),
        );
      if (generations.length === 0) output.line('no keys were made yet');
      else
        await output.table(
          ['generation', 'state', 'bucket', 'made', 'ends'],
          generations.map((each) => [
            String(each.generation),
            each.state,
            each.bucket === null ? '' : [each.bucket, each.prefix].filter((part) => part !== '').join('/'),
            each.made_at ?? '',
            each.expires_at ?? '',
          ]),
        );
      for (const { generation, ids } of generations) if (ids.length > 0) output.line(`keys of generation ${generation}: ${ids.join(', ')}`);
      const last = steps.at(-1);
      if (last !== undefined)
        output.line(
          `last step: ${last.step} of generation ${last.generation}${last.told === undefined ? '' : ` (${last.told})`}, ${last.at}`,
        );
      if (current !== null && !generations.some(({ state }) => state === 'current'))
        output.warn(
          `generation ${current} is the current one and has no keys: servers get none until \`artifactstore provider rotate\` is run`,
        );
      // While a rotation is under way it ends the one before.
      const kept = unfinished === null ? generations.filter(({ state }) => state === 'kept') : [];
      // Servers may still use what was the current one: to end it first would stop them.
      for (const { generation } of kept)
        output.warn(
          current === null
            ? `no generation is the current one, and generation ${generation} has keys: is "provider/current" lost? Bring it back, or run ` +
                `\`artifactstore provider rotate\` and, when servers have the new keys, \`artifactstore provider revoke --generation ${generation}\``
            : `generation ${generation} has keys and is not the current one: \`artifactstore provider revoke --generation ${generation}\` ends them`,
        );
      if (unfinished !== null)
        output.warn(
          `generation ${unfinished} is unfinished, and may have keys that are not listed here: run \`artifactstore provider rotate\` again`,
        );
    });
};
