import { InvalidArgumentError, Option } from 'commander';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { addProviderOptions, addStoreOptions, type PlaceOptions, placeOf } from '../provider-options.ts';

interface RevokeCommandOptions extends PlaceOptions {
  readonly generation: number;
  readonly evenCurrent?: boolean;
}

export const providerRevoke: Definition = (command, context) => {
  command
    .addOption(
      new Option('--generation <n>', 'which').makeOptionMandatory().argParser((text: string) => {
        if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
        throw new InvalidArgumentError('It must be a whole number from 1.');
      }),
    )
    .option('--even-current', 'also the one that servers use: they stop until the next rotation');
  addStoreOptions(command);
  addProviderOptions(command);
  command
    .addHelpText(
      'after',
      `
Ends all keys of the generation at the provider, and takes them out of the
store. May be run again at any time.

Examples:
  $ artifactstore provider revoke --generation 3 --store file:/etc/artifactstore/secrets`,
    )
    .action(async (options: RevokeCommandOptions) => {
      using stop = stopOnSignal();
      const own = context();
      const { generation, evenCurrent = false } = options;
      const commands = await own.provider();
      const report = await commands.revoke({ ...placeOf(own, options, stop.signal), generation, evenCurrent });
      if (own.output.json) return own.output.value(report);
      for (const id of report.revoked) own.output.line(`ended ${id}`);
      own.output.line(`generation ${generation} is ended`);
    });
};
