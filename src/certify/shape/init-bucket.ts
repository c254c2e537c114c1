import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import { type Connection, endpointOf } from '../../storage/s3/settings.ts';
import { answerError, answered, type Demand, demanded, isList, isSuccess } from '../answer-error.ts';
import { askForBucket } from '../create-bucket.ts';
import { openWire, type Reply, type Wire } from '../wire.ts';
import { countedWire } from './counted-wire.ts';
import type { InitOptions, InitReport } from './reports.ts';

/**
 * Makes the bucket of this connection where it is missing, and looks that it is there then. Where it is there, nothing
 * is sent that could change anything. Errors: `storage_unavailable`, `target_in_use`, `cancelled`.
 */
export async function initBucket(connection: Connection, options: InitOptions = {}): Promise<InitReport> {
  const { signal, dryRun = false } = options;
  const begun = performance.now();
  const open = openWire({ connection, now: Date.now, patienceMilliseconds, signal });
  try {
    const { wire, requests } = countedWire(open);
    const looking = { doing: 'look for the bucket', connection, signal, isStores: isList };
    const found = await onceItAnswers(options, () => answered(wire, look, looking));
    const report = (bucket: InitReport['bucket']): InitReport => ({
      store: {
        endpoint: endpointOf(connection),
        region: connection.region,
        bucket: connection.bucket,
        server: [found.headers.server ?? []].flat()[0] ?? null,
      },
      bucket,
      requests: { ...requests },
      seconds: Math.round((performance.now() - begun) / 100) / 10,
    });
    if (isSuccess(found, looking)) return report('there');
    if (found.code !== 'NoSuchBucket') throw answerError(found, looking);
    if (dryRun) return report('missing');
    const made = await make(wire, connection, signal);
    await demanded(wire, look, { ...looking, doing: 'look for the bucket that was made' });
    return report(made);
  } finally {
    open.close();
  }
}

const look = { query: { 'list-type': '2', 'max-keys': '1' } };

async function make(wire: Wire, connection: Connection, signal: AbortSignal | undefined): Promise<'made' | 'there'> {
  const { bucket, bucketSetting = 'the name of the bucket' } = connection;
  const making: Demand = { doing: `make the bucket "${bucket}"`, connection, signal };
  const reply = await askForBucket(wire, connection.region).catch(() => answered(wire, { method: 'PUT' }, making));
  if (isSuccess(reply, making)) return 'made';
  // Somebody with the same keys was faster.
  if (reply.code === 'BucketAlreadyOwnedByYou') return 'there';
  if (reply.code === 'BucketAlreadyExists')
    throw new ArtifactstoreError('target_in_use', `The bucket "${bucket}" is somebody else's at ${endpointOf(connection)}.`, {
      info: { hint: `names of buckets are shared by all accounts of a store: choose another one in ${bucketSetting}` },
    });
  throw answerError(reply, making);
}

/** A store that was started at the same moment answers some seconds later. */
async function onceItAnswers({ waitMilliseconds = 0, onWaiting, signal }: InitOptions, ask: () => Promise<Reply>): Promise<Reply> {
  const ends = performance.now() + waitMilliseconds;
  for (;;) {
    const reply = await ask().catch((error: unknown) => {
      if (!isArtifactstoreError(error) || error.code !== 'storage_unavailable' || performance.now() >= ends) throw error;
      onWaiting?.(error.message);
      return undefined;
    });
    const isStarting = reply !== undefined && reply.status >= 502 && reply.status <= 504 && performance.now() < ends;
    if (reply !== undefined && !isStarting) return reply;
    if (isStarting) onWaiting?.(`it answers ${reply.status}`);
    await sleep(pauseMilliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => throwIfStopped(signal));
  }
}

const patienceMilliseconds = 10_000;
const pauseMilliseconds = 500;
