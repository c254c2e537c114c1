import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { secondsFrom } from '../provider-options.ts';
import { addStoreOptions, type StoreOptions } from '../store-options.ts';
import { readStorePlace } from '../store-settings.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { counted } from '../terminal/size.ts';

interface StoreInitOptions extends StoreOptions {
  readonly wait?: number;
  readonly dryRun?: boolean;
}

export const storeInit: Definition = (command, context) => {
  addStoreOptions(command);
  command
    .option('--wait <seconds>', 'wait this long for a store that does not answer yet', secondsFrom(0, 3600))
    .option('--dry-run', 'say whether the bucket is there, and make nothing')
    .addHelpText(
      'after',
      `
The file has S3_ENDPOINT_URL, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY,
S3_FORCE_PATH_STYLE, and COSMO_S3_BUCKET or S3_BUCKET. It is parsed and never
run. Where the bucket is there, nothing is sent that could change anything: it
may be run before every start. Needs no registry and no database.

Examples:
  $ artifactstore store init --settings /secrets/artifacts.env
  $ artifactstore store init --settings /secrets/artifacts.env --wait 60`,
    )
    .action(async ({ settings, wait = 0, dryRun = false }: StoreInitOptions) => {
      const { directory, output, store } = context();
      const place = await readStorePlace(directory, settings);
      const { init } = await store();
      using stop = stopOnSignal();
      using progress = createProgressLine(output);
      const report = await init(place, {
        dryRun,
        waitMilliseconds: wait * 1000,
        onWaiting: (reason) => progress.show(() => `waiting for the store: ${reason}`),
        signal: stop.signal,
      });
      progress.clear();
      if (output.json) return output.value(report);
      const { bucket, requests, store: found } = report;
      const name = `bucket ${output.colors.bold(found.bucket)} at ${found.endpoint}`;
      const asked = counted(requests.reading + requests.writing, 'request');
      if (bucket === 'made') output.line(`${output.colors.green('made')} ${name}`);
      else if (bucket === 'missing') output.line(`${output.colors.yellow('missing')} ${name}: it would be made`);
      else output.line(`${output.colors.green('there')} ${name}: nothing was changed`);
      output.note(`${asked}, ${requests.writing} of them to change something`);
    });
};
