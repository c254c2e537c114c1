import { Option } from 'commander';
import { type StoreShape, storeShapes } from '../../certify/shape/reports.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';
import { addStoreOptions, type StoreOptions } from '../store-options.ts';
import { readStorePlace } from '../store-settings.ts';
import { resultSigns } from '../terminal/certificate.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { storeProbeLines } from '../terminal/store-probe.ts';

interface StoreProbeOptions extends StoreOptions {
  readonly shape: StoreShape;
}

export const storeProbe: Definition = (command, context) => {
  addStoreOptions(command);
  command
    .addOption(new Option('--shape <shape>', 'what the platform asks of its store').choices(storeShapes).default('plain'))
    .addHelpText(
      'after',
      `
Writes, reads, compares and deletes, below a prefix of its own. With --shape
cosmo it sends what the controlplane, the cdn and a router of WunderGraph Cosmo
send, and more than 1,000 objects. Each answer that is not as it must be is
named with what follows from it for the platform, and what avoids that.

All of it is removed, also after Ctrl-C; what a run left that was killed is
removed by the next one. Ends with exit code 1 when something does not hold or
was left behind. Needs no registry and no database.

Examples:
  $ artifactstore store probe --settings /secrets/artifacts.env
  $ artifactstore store probe --settings /secrets/artifacts.env --shape cosmo`,
    )
    .action(async ({ settings, shape }: StoreProbeOptions) => {
      const { directory, output, store, exitWith } = context();
      const place = await readStorePlace(directory, settings);
      const { probe } = await store();
      using stop = stopOnSignal();
      using progress = createProgressLine(output);
      const report = await probe(place, {
        shape,
        signal: stop.signal,
        onCheck: ({ id, result }, done, total) => progress.show(() => `${done} of ${total}: ${id} ${resultSigns[result]}`),
      });
      progress.clear();
      if (output.json) output.value(report);
      else for (const line of storeProbeLines(report, output.colors)) output.line(line);
      for (const each of report.leftovers) output.warn(`left in the store: ${each}`);
      if (!report.ok) exitWith(exitCode.failed);
    });
};
