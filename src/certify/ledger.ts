import { setTimeout as sleep } from 'node:timers/promises';
import { forEachLimited } from '../runtime/limit.ts';
import { isThere, list, md5, remove, told } from './steps.ts';
import type { Call, Reply, Wire } from './wire.ts';
import { elements, elementText, escaped } from './xml.ts';

/** Remembers what was made in a store, since a list of it may lie, and removes it. */
export interface Ledger {
  /** The same wire, watched for uploads in parts. */
  readonly wire: Wire;
  /** Says that something may come to lie there. */
  note(key: string): void;
  noteBucket(bucket: string): void;
  /** Says that it was not made. */
  forgetBucket(bucket: string): void;
  /** Removes everything and answers what stays behind, as `<bucket>/<key>` and why. Never throws. */
  removeAll(): Promise<readonly string[]>;
}

export interface LedgerOptions {
  readonly wire: Wire;
  /** What cleans up. */
  readonly broom: Wire;
  readonly bucket: string;
  /** Nothing outside of it is touched, except whole buckets that were noted. */
  readonly prefix: string;
  /** How long locked versions may have to be waited for. */
  readonly lockMilliseconds: number;
}

interface Upload {
  readonly key: string;
  readonly uploadId: string;
}

interface Version {
  readonly key: string;
  readonly versionId: string;
}

export function openLedger({ wire, broom, bucket, prefix, lockMilliseconds }: LedgerOptions): Ledger {
  const keys = new Set<string>();
  const uploads = new Map<string, Upload>();
  const buckets = new Set<string>();
  const leftovers: string[] = [];

  function record({ method, key, query = {}, bucket: named = bucket }: Call, reply: Reply): void {
    if (method !== 'POST' || query.uploads === undefined || key?.startsWith(prefix) !== true || named !== bucket || reply.status !== 200)
      return;
    const uploadId = elementText(reply.body.toString(), 'UploadId');
    if (uploadId !== undefined) uploads.set(uploadId, { key, uploadId });
  }

  async function removeUploads(): Promise<void> {
    const listed = await listUploads(broom, prefix).catch(() => []);
    for (const upload of listed) uploads.set(upload.uploadId, upload);
    await forEachLimited([...uploads.values()], atOnce, async ({ key, uploadId }) => {
      const reply = await broom.send({ method: 'DELETE', key, query: { uploadId } });
      if (reply.status >= 300 && reply.status !== 404) leftovers.push(`${bucket}/${key} (upload ${uploadId}): ${told(reply)}`);
    });
    for (const { key, uploadId } of await listUploads(broom, prefix).catch(() => []))
      leftovers.push(`${bucket}/${key} (upload ${uploadId}): is still there`);
  }

  async function removeObjects(): Promise<void> {
    const listed = await listedKeys(broom, prefix);
    for (const key of listed) keys.add(key);
    await removeKeys(broom, [...keys]);
    // A version or a key that was not known before, such as one that the store named otherwise.
    for (let page = 0; page < maximumPages; page++) {
      const versions = await listVersions(broom, bucket, prefix).catch(() => []);
      let removed = 0;
      await forEachLimited(versions, atOnce, async (version) => void ((await removeVersion(broom, bucket, version)) && removed++));
      if (removed === 0) break;
    }
    // Where a key that never was looks like one that is, only the list can tell.
    const blind = await isThere({ wire: broom }, `${prefix}never`);
    const rest = new Set([...(blind ? [] : keys), ...(await listedKeys(broom, prefix))]);
    await forEachLimited([...rest], atOnce, async (key) => {
      if (!(await isThere({ wire: broom }, key).catch(() => false))) return;
      const reply = await remove({ wire: broom }, key);
      if (await isThere({ wire: broom }, key).catch(() => true)) leftovers.push(`${bucket}/${key}: ${told(reply)}`);
    });
  }

  return {
    wire: {
      async send(call) {
        const reply = await wire.send(call);
        record(call, reply);
        return reply;
      },
      address: (call) => wire.address(call),
      get clockAheadMilliseconds() {
        return wire.clockAheadMilliseconds;
      },
      close: () => wire.close(),
    },
    note: (key) => void keys.add(key),
    noteBucket: (name) => void buckets.add(name),
    forgetBucket: (name) => void buckets.delete(name),
    async removeAll() {
      const steps: readonly (readonly [what: string, step: () => Promise<void>])[] = [
        [`uploads under ${bucket}/${prefix}`, removeUploads],
        [`${bucket}/${prefix}`, removeObjects],
        ...[...buckets].map((name) => [name, () => removeBucket(broom, name, lockMilliseconds)] as const),
      ];
      await Promise.all(
        steps.map(([what, step]) => step().catch((error: unknown) => void leftovers.push(`${what}: ${(error as Error).message}`))),
      );
      return leftovers;
    },
  };
}

async function listedKeys(wire: Wire, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await list({ wire }, { prefix, ...(token === undefined ? {} : { 'continuation-token': token }) });
    keys.push(...page.keys.filter((key) => key.startsWith(prefix)));
    token = page.truncated && page.token !== token ? page.token : undefined;
  } while (token !== undefined);
  return keys;
}

/** Many in one request where the store can, one by one where it cannot. */
async function removeKeys(wire: Wire, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 1000) {
    const batch = keys.slice(at, at + 1000);
    const body = `<Delete><Quiet>true</Quiet>${batch.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`).join('')}</Delete>`;
    const reply = await wire.send({ method: 'POST', query: { delete: '' }, headers: { 'content-md5': md5(body) }, body });
    const failed =
      reply.status !== 200 ? batch : elements(reply.body.toString(), 'Error').flatMap((each) => elementText(each, 'Key') ?? []);
    await forEachLimited(failed, atOnce, async (key) => void (await remove({ wire }, key)));
  }
}

async function listUploads(wire: Wire, prefix: string): Promise<readonly Upload[]> {
  const reply = await wire.send({ query: { uploads: '', prefix } });
  if (reply.status !== 200) return [];
  return elements(reply.body.toString(), 'Upload').flatMap((each) => {
    const [key, uploadId] = [elementText(each, 'Key'), elementText(each, 'UploadId')];
    return key?.startsWith(prefix) === true && uploadId !== undefined ? [{ key, uploadId }] : [];
  });
}

async function listVersions(wire: Wire, bucket: string, prefix: string): Promise<readonly Version[]> {
  const reply = await wire.send({ bucket, query: { versions: '', prefix } });
  if (reply.status !== 200) return [];
  const xml = reply.body.toString();
  return [...elements(xml, 'Version'), ...elements(xml, 'DeleteMarker')].flatMap((each) => {
    const [key, versionId] = [elementText(each, 'Key'), elementText(each, 'VersionId')];
    return key?.startsWith(prefix) === true && versionId !== undefined ? [{ key, versionId }] : [];
  });
}

async function removeVersion(wire: Wire, bucket: string, { key, versionId }: Version): Promise<boolean> {
  const reply = await remove({ wire }, key, { bucket, query: { versionId }, headers: { 'x-amz-bypass-governance-retention': 'true' } });
  return reply.status < 300 || reply.status === 404;
}

/** With everything in it, once its locks have ended. */
async function removeBucket(wire: Wire, bucket: string, lockMilliseconds: number): Promise<void> {
  const ends = performance.now() + lockMilliseconds + graceMilliseconds;
  const within: Wire = { ...wire, send: (call) => wire.send({ bucket, ...call }) };
  for (;;) {
    for (const version of await listVersions(wire, bucket, '')) {
      if (await removeVersion(wire, bucket, version)) continue;
      const body = '<LegalHold><Status>OFF</Status></LegalHold>';
      const query = { 'legal-hold': '', versionId: version.versionId };
      await wire.send({ method: 'PUT', bucket, key: version.key, query, headers: { 'content-md5': md5(body) }, body });
    }
    const reply = await wire.send({ method: 'DELETE', bucket });
    if (reply.status < 300 || reply.status === 404) return;
    // Some list no versions, or not those that they count.
    if (reply.status === 409) await removeKeys(within, await listedKeys(within, ''));
    if (reply.status === 403 || performance.now() > ends) throw new Error(`the bucket could not be removed: the store ${told(reply)}`);
    await sleep(250);
  }
}

const atOnce = 16;
/** Each of up to 1,000 versions: more than a run makes. */
const maximumPages = 20;
const graceMilliseconds = 15_000;
