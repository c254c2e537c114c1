import { randomBytes } from 'node:crypto';
import { isArtifactstoreError, withInfo } from '../../kernel/error.ts';
import { cancelled, throwIfStopped } from '../../runtime/stop.ts';
import { storeError } from '../../storage/s3/errors.ts';
import { type Connection, endpointOf } from '../../storage/s3/settings.ts';
import { answerError, answered, demanded, isList, isSuccess } from '../answer-error.ts';
import { openLedger } from '../ledger.ts';
import { fail, skipped } from '../probe.ts';
import { remove, told } from '../steps.ts';
import { openWire, type Wire } from '../wire.ts';
import type { Check, CheckFinding, Ground } from './check.ts';
import { cosmo } from './cosmo.ts';
import { type FoundRuns, removeDeadRuns } from './dead-runs.ts';
import { plain } from './plain.ts';
import { aliveName, beginPulse, probesPrefix } from './pulse.ts';
import type { CheckResult, ProbeOptions, StoreProbeReport, StoreShape } from './reports.ts';

/** What each shape asks. */
export const shapes: { readonly [S in StoreShape]: readonly Check[] } = { plain, cosmo: [...plain, ...cosmo] };

export interface StoreProbeOptions extends ProbeOptions {
  /** Of the software that asks. */
  readonly version: string;
  /** These alone, by id; all of the shape by default. */
  readonly only?: readonly string[];
  /** How long an answer is waited for; 30,000 by default, and 10,000 at most for the first. */
  readonly patienceMilliseconds?: number;
  /** How often a run says that it is at work; 5,000 by default. */
  readonly beatMilliseconds?: number;
  /** From when on a run that does not say so is dead; 30,000 by default. */
  readonly deadMilliseconds?: number;
}

/**
 * Asks a bucket what a platform will ask of it, below a prefix of its own, and removes all of it, also when it is
 * stopped; what a run left that was killed too. Errors: `storage_unavailable` where the bucket is not there, or cannot
 * be written to; `cancelled`.
 */
export async function probeStore(connection: Connection, options: StoreProbeOptions): Promise<StoreProbeReport> {
  const { shape, signal, only, patienceMilliseconds = 30_000 } = options;
  const started = new Date();
  const begun = performance.now();
  const prefix = `${probesPrefix}${randomBytes(6).toString('hex')}/`;
  using wires = new DisposableStack();
  const open = (to: Connection, stop: AbortSignal | undefined): Wire =>
    wires.adopt(openWire({ connection: to, now: Date.now, patienceMilliseconds, signal: stop }), (each) => each.close());
  const wire = open(connection, signal);
  // What is stopped is still cleaned up.
  const broom = open(connection, undefined);
  const { server, mayList } = await knock(wire, connection, Math.min(patienceMilliseconds, 10_000), signal);
  const names = new Set([`${prefix}${aliveName}`]);
  const checks = shapes[shape].filter(({ id }) => only?.includes(id) ?? true);
  const results: CheckResult[] = [];
  let runs: FoundRuns = { cleaned: [], busy: [], leftovers: [] };
  let failure: unknown;
  const alive = { method: 'PUT', key: `${prefix}${aliveName}`, body: started.toISOString() };
  await demanded(wire, alive, { doing: 'write', connection, signal, isStores: ({ headers }) => headers.etag !== undefined });
  const pulse = beginPulse(broom, prefix, options.beatMilliseconds ?? 5000);
  try {
    if (mayList)
      runs = await removeDeadRuns({
        wire,
        broom,
        bucket: connection.bucket,
        own: prefix,
        deadMilliseconds: options.deadMilliseconds ?? 30_000,
      });
    for (const check of checks) {
      throwIfStopped(signal);
      const own = `${prefix}${check.id}/`;
      const ground: Ground = {
        wire,
        region: connection.region,
        prefix: own,
        key(name) {
          names.add(own + name);
          return own + name;
        },
        bytes: randomBytes,
        openAs: (region) => openWire({ connection: { ...connection, region }, now: Date.now, patienceMilliseconds, signal }),
        keys: () => connection.credentials.keys(),
      };
      const result = resultOf(check, await answer(check, ground, connection, signal));
      results.push(result);
      options.onCheck?.(result, results.length, checks.length);
    }
  } catch (error) {
    failure = error;
  }
  await pulse.stop();
  const clean = mayList ? sweep : removeOneByOne;
  const leftovers = [...runs.leftovers, ...(await clean({ wire, broom, connection, prefix, names }))];
  if (signal?.aborted === true) failure = cancelled(signal);
  if (failure !== undefined) throw withLeftovers(failure, prefix, leftovers);
  return {
    store: { endpoint: endpointOf(connection), region: connection.region, bucket: connection.bucket, server },
    version: options.version,
    started_at: started.toISOString(),
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    shape,
    ok: leftovers.length === 0 && results.every(({ result }) => result === 'pass' || result === 'differs'),
    checks: results,
    cleaned: runs.cleaned,
    busy: runs.busy,
    leftovers,
  };
}

/** Keys that may not list are asked too: what follows from that is what the checks are for. */
async function knock(
  wire: Wire,
  connection: Connection,
  patienceMilliseconds: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly server: string | null; readonly mayList: boolean }> {
  const listing = { doing: 'list the bucket', connection, signal, isStores: isList };
  const query = { 'list-type': '2', 'max-keys': '1', prefix: probesPrefix };
  const reply = await answered(wire, { query, patienceMilliseconds }, listing);
  const mayList = isSuccess(reply, listing);
  if (!mayList && reply.code === 'NoSuchBucket') {
    const error = answerError(reply, listing);
    const hint = 'run `artifactstore store init` with the same file';
    throw isArtifactstoreError(error) ? withInfo(error, { hint }) : error;
  }
  if (!mayList && reply.code !== 'AccessDenied') throw answerError(reply, listing);
  return { server: [reply.headers.server ?? []].flat()[0] ?? null, mayList };
}

async function answer(check: Check, ground: Ground, connection: Connection, signal: AbortSignal | undefined): Promise<CheckFinding> {
  try {
    return await check.run(ground);
  } catch (error) {
    throwIfStopped(signal);
    if (isArtifactstoreError(error) && error.code === 'integrity_failure') return fail(error.message);
    // Where no answer came, the store may be down, or this one request too much for it: then nothing is known.
    await answered(ground.wire, { query: { 'list-type': '2', 'max-keys': '1' } }, { doing: 'ask again', connection, signal });
    const told = storeError(error, { doing: 'ask' }, connection, signal);
    return { ...skipped(told instanceof Error ? told.message : 'no answer'), consequence: 'not known', remedy: 'run it again' };
  }
}

function resultOf({ id, title, consequence, remedy }: Check, finding: CheckFinding): CheckResult {
  const { result, detail } = finding;
  const holds = result === 'pass';
  return {
    id,
    title,
    result,
    detail,
    consequence: holds ? null : (finding.consequence ?? consequence),
    remedy: holds ? null : (finding.remedy ?? remedy),
  };
}

interface Sweep {
  readonly wire: Wire;
  readonly broom: Wire;
  readonly connection: Connection;
  readonly prefix: string;
  readonly names: ReadonlySet<string>;
}

async function sweep({ wire, broom, connection: { bucket }, prefix, names }: Sweep): Promise<readonly string[]> {
  const ledger = openLedger({ wire, broom, bucket, prefix, lockMilliseconds: 0 });
  for (const name of names) ledger.note(name);
  return await ledger.removeAll();
}

/** Where nothing can be listed, what was written is known by its names alone. */
async function removeOneByOne({ broom, connection: { bucket }, names }: Sweep): Promise<readonly string[]> {
  const leftovers: string[] = [];
  for (const name of names) {
    const reply = await remove({ wire: broom }, name).catch(() => undefined);
    if (reply === undefined || (reply.status >= 300 && reply.status !== 404))
      leftovers.push(`${bucket}/${name}: ${reply === undefined ? 'no answer' : told(reply)}`);
  }
  return leftovers;
}

function withLeftovers(error: unknown, prefix: string, leftovers: readonly string[]): unknown {
  if (leftovers.length === 0 || !isArtifactstoreError(error)) return error;
  return withInfo(error, { leftovers, hint: `what this run wrote is left in the store below ${prefix}: the next run removes it` });
}
