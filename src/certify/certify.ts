import { randomBytes } from 'node:crypto';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { connectionFault } from '../runtime/connection-fault.ts';
import { forEachLimited } from '../runtime/limit.ts';
import { cancelled } from '../runtime/stop.ts';
import { certifyPrefix } from '../storage/object-key.ts';
import { storeError } from '../storage/s3/errors.ts';
import { type Connection, type Dialect, defaultDialect, endpointOf } from '../storage/s3/settings.ts';
import { prefixOf } from '../storage/s3/store-key.ts';
import type { Certificate, Family, Finding, ProbeResult } from './certificate.ts';
import { askForBucket } from './create-bucket.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { fail, type Probe, type ProbeContext } from './probe.ts';
import { judgeScope } from './scope.ts';
import { told } from './steps.ts';
import { suite } from './suite.ts';
import { gradeOf, judge } from './uses.ts';
import { type Call, openWire, type Reply, type Wire } from './wire.ts';

export interface CertifyOptions {
  readonly connection: Connection;
  /** Everything is written under `<keyPrefix>/certify-<random>/`. */
  readonly keyPrefix?: string;
  /** The keys of the bucket's owner, where those of `connection` are somebody else's. */
  readonly ownerConnection?: Connection;
  readonly reach?: {
    /** A bucket that the keys must not reach. */
    readonly otherBucket?: string;
  };
  /** All of them by default. */
  readonly families?: readonly Family[];
  /** Of the software that asks. */
  readonly version: string;
  /** What holds of the dialect where no probe says otherwise. */
  readonly assumed?: Dialect;
  /** Told of each probe as it ends. */
  readonly onProbe?: (probe: ProbeResult, done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** The smallest part that may come before another; 5 MiB by default, as nearly everywhere. */
  readonly partBytes?: number;
  /** How long an object is locked for the experiment; 5,000 by default. */
  readonly retentionMilliseconds?: number;
  /** How long an answer is waited for; 30,000 by default. */
  readonly patienceMilliseconds?: number;
  /** How long the permission to continue is waited for; 10,000 by default. */
  readonly continueMilliseconds?: number;
  /** How long objects lie there before they are overwritten; 2,500 by default. */
  readonly ageMilliseconds?: number;
  /** Probes at a time; 6 by default. */
  readonly jobs?: number;
}

/**
 * Asks a store everything, and says what it is safe to be used for. It writes, below a prefix of its own and in buckets
 * of its own, and removes all of it, also when it is stopped. Errors: `storage_unavailable` where the bucket cannot be
 * listed and written to at all; `cancelled`.
 */
export async function certifyStore(options: CertifyOptions): Promise<Certificate> {
  const { connection, signal, now = Date.now } = options;
  const started = now();
  const begun = performance.now();
  const name = `${certifyPrefix}${randomBytes(6).toString('hex')}`;
  const keyPrefix = prefixOf(options.keyPrefix ?? '').replace(/\/$/, '');
  const prefix = `${prefixOf(keyPrefix)}${name}/`;
  const patienceMilliseconds = options.patienceMilliseconds ?? 30_000;
  const retentionMilliseconds = options.retentionMilliseconds ?? 5000;
  const open = (to: Connection, stop: AbortSignal | undefined): Wire =>
    openWire({ connection: to, now, patienceMilliseconds, signal: stop });
  using wires = new DisposableStack();
  const wire: Wire = wires.adopt(open(connection, signal), (each) => each.close());
  // What is stopped is still cleaned up.
  const broom = wires.adopt(open(connection, undefined), (each) => each.close());
  const ownerWire = options.ownerConnection && wires.adopt(open(options.ownerConnection, signal), (each) => each.close());
  const ledger = openLedger({ wire, broom, bucket: connection.bucket, prefix, lockMilliseconds: retentionMilliseconds });

  const knock = (doing: string, call: Call): Promise<Reply> => demanded(ledger.wire, connection, signal, doing, call);
  const first = await knock('list', { query: { 'list-type': '2', 'max-keys': '1', prefix } });
  const probes = suite.filter(({ family }) => options.families?.includes(family) ?? true);
  const findings = new Map<string, Finding>();
  let failure: unknown;
  try {
    const key = `${prefix}knock`;
    ledger.note(key);
    await knock('write', { method: 'PUT', key, body: 'x' });
    await knock('delete', { method: 'DELETE', key });
    await forEachLimited(probes, options.jobs ?? 6, async (probe) => {
      if (signal?.aborted === true) return;
      const finding = await answer(probe, {
        ...experiment(ledger, probe, prefix, name, connection.region),
        ownerWire,
        connection,
        partBytes: options.partBytes ?? 5 * 1024 ** 2,
        storeNow: () => now() + wire.clockAheadMilliseconds,
        patienceMilliseconds,
        retentionMilliseconds,
        continueMilliseconds: options.continueMilliseconds ?? 10_000,
        ageMilliseconds: options.ageMilliseconds ?? 2500,
        keyPrefix,
        otherBucket: options.reach?.otherBucket,
        signal,
      });
      findings.set(probe.id, finding);
      options.onProbe?.(resultOf(probe, finding), findings.size, probes.length);
    });
  } catch (error) {
    failure = error;
  }
  const leftovers = await ledger.removeAll();
  if (signal?.aborted === true) failure = cancelled(signal);
  if (failure !== undefined) throw withLeftovers(failure, leftovers);
  const uses = judge(findings);
  return {
    store: {
      endpoint: endpointOf(connection),
      region: connection.region,
      bucket: connection.bucket,
      server: [first.headers.server ?? []].flat()[0] ?? null,
    },
    version: options.version,
    started_at: new Date(started).toISOString(),
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    grade: gradeOf(uses),
    uses,
    scope: judgeScope(findings, keyPrefix !== ''),
    probes: probes.map((probe) => resultOf(probe, findings.get(probe.id)!)),
    dialect: dialectOf(findings, options.assumed ?? defaultDialect),
    leftovers,
  };
}

/** Without listing, writing and deleting nothing that is found out means anything. */
async function demanded(wire: Wire, connection: Connection, signal: AbortSignal | undefined, doing: string, call: Call): Promise<Reply> {
  const reply = await wire.send(call).catch((error: unknown) => {
    throw storeError(error, { doing }, connection, signal);
  });
  if (reply.status < 300 || (doing === 'delete' && reply.status === 404)) return reply;
  throw storeError({ Code: reply.code, name: told(reply), $metadata: { httpStatusCode: reply.status } }, { doing }, connection, signal);
}

function withLeftovers(error: unknown, leftovers: readonly string[]): unknown {
  if (leftovers.length === 0 || !isArtifactstoreError(error)) return error;
  return new ArtifactstoreError(error.code, `${error.message}. This is left in the store: ${leftovers.join(', ')}`, {
    info: { leftovers },
    cause: error,
  });
}

function experiment(
  ledger: Ledger,
  probe: Probe,
  prefix: string,
  name: string,
  region: string,
): Pick<ProbeContext, 'wire' | 'key' | 'prefix' | 'bytes' | 'ownBucket'> {
  const own = `${prefix}${probe.id}/`;
  return {
    wire: ledger.wire,
    prefix: own,
    key(last = 'object') {
      ledger.note(own + last);
      return own + last;
    },
    bytes: (length = 1000) => randomBytes(length),
    async ownBucket({ objectLock = false } = {}) {
      const bucket = `artifactstore-${name}-${probe.id.replace(/\W/g, '-')}`.slice(0, 63);
      ledger.noteBucket(bucket);
      const headers: Record<string, string> = objectLock ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {};
      const reply = await askForBucket(ledger.wire, region, { bucket, headers });
      if (reply.status < 300) return { bucket };
      if (reply.status === 403) ledger.forgetBucket(bucket);
      return { refused: told(reply) };
    },
  };
}

async function answer(probe: Probe, context: ProbeContext): Promise<Finding> {
  try {
    return await probe.run(context);
  } catch (error) {
    const { message, syscall, code = '' } = error as NodeJS.ErrnoException;
    return fail(syscall === undefined ? message : `there was no answer: ${connectionFault(code)?.text ?? 'the connection failed'}`);
  }
}

function resultOf({ id, family, title, why }: Probe, { result, detail }: Finding): ProbeResult {
  return { id, family, title, why, result, detail };
}

function dialectOf(findings: ReadonlyMap<string, Finding>, assumed: Dialect): Dialect {
  const found = (id: string): Finding['result'] | undefined => findings.get(id)?.result;
  const digest = found('checksums.content-sha256');
  const reads = found('reach.owner-reads');
  const reading = reads === 'differs' || (reads !== 'pass' && assumed.ownerAcl);
  return {
    bodyBinding: digest === 'fail' ? 'content-md5' : digest === 'pass' ? 'signed-sha256' : assumed.bodyBinding,
    // Where the ACL is not taken, nothing can be written with it.
    ownerAcl: reading && (reads === 'differs' || found('reach.owner-acl') !== 'differs'),
  };
}
