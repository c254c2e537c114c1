import { randomBytes } from 'node:crypto';
import type { Keys } from '../credentials/CREDENTIALS.ts';
import { isArtifactstoreError } from '../kernel/error.ts';
import { encode, sha256, signInHeader } from '../protocol/aws-signature.ts';
import {
  type AskInScope,
  isRefusal,
  isRefusalOfKeys,
  type ScopeFinding,
  tryAccount,
  tryBesidePrefix,
  tryList,
  tryWrite,
  useWithin,
} from '../protocol/key-scope.ts';
import { type Asker, createAsker } from './ask.ts';
import type { Outside, Proof, ProofCheck, Scope } from './PROVIDER.ts';
import { type Patience, untilKnown } from './propagation.ts';

/** Where the objects are, for the proofs of every driver. */
export interface ObjectPlace {
  /** Without a trailing slash. */
  readonly endpointUrl: string;
  readonly region: string;
}

/**
 * Proves keys at an S3 endpoint, path-style. What it writes lies below `.artifactstore-proof/` of the scope and is
 * deleted again. Outside of the scope nothing is ever left: what should have been refused and was not is deleted.
 */
export async function proveAtS3(place: ObjectPlace, keys: Keys, scope: Scope, outside: Outside, patience: Patience): Promise<Proof> {
  const { endpointUrl: address } = place;
  const asker = createAsker({ place: address, asked: 'objects', address, answerMilliseconds: 60_000, signal: patience.signal });
  try {
    return await prove(caller(place, keys, asker), scope, outside, patience);
  } finally {
    await asker.close();
  }
}

async function prove(ask: AskInScope, { bucket, prefix }: Scope, { otherBucket }: Outside, patience: Patience): Promise<Proof> {
  const name = `.artifactstore-proof/${randomBytes(12).toString('hex')}`;
  const body = randomBytes(24).toString('hex');
  const patient: AskInScope = (question) => untilKnown(patience, () => ask(question), isRefusal);
  const known: AskInScope = (question) => untilKnown(patience, () => ask(question), isRefusalOfKeys);
  const within = await useWithin(patient, { bucket, key: prefix === '' ? name : `${prefix}/${name}`, body }, ask);
  if (within[0]?.result !== 'holds') return { checks: within };
  const checks: ProofCheck[] = [...within];
  const outsideOf = async (what: ProofCheck['what'], attempt: () => Promise<ScopeFinding>): Promise<void> => {
    try {
      checks.push({ what, ...(await attempt()) });
    } catch (error) {
      if (!isArtifactstoreError(error, 'provider_unavailable')) throw error;
      checks.push({ what, result: 'unknown', told: error.message });
    }
  };
  await outsideOf('other_bucket', async () => {
    if (otherBucket === undefined) return { result: 'unknown', told: 'no other bucket is known: name one with --other-bucket' };
    const written = await tryWrite(known, { bucket: otherBucket, key: name, body });
    return written.result === 'holds' ? await tryList(known, otherBucket) : written;
  });
  await outsideOf('other_prefix', () => tryBesidePrefix(known, prefix, { bucket, key: name, body }));
  await outsideOf('account_list', () => tryAccount(known, (shown) => shown === bucket));
  return { checks };
}

function caller({ region, endpointUrl }: ObjectPlace, keys: Keys, asker: Asker): AskInScope {
  const { host, pathname } = new URL(endpointUrl);
  const root = pathname.replace(/\/$/, '');
  return async ({ method, bucket, key, query = {}, body }) => {
    const { status, text, header } = await asker.ask(() => {
      const own = bucket === '' ? '/' : `/${encode(bucket)}${key === undefined ? '' : `/${key.split('/').map(encode).join('/')}`}`;
      const signed = signInHeader({
        method,
        path: `${root}${own}`,
        query,
        headers: { host },
        payload: sha256(body ?? ''),
        date: new Date(),
        region,
        keys,
      });
      const path = `${own}${signed.query === '' ? '' : `?${signed.query}`}`;
      return { method, path, headers: signed.headers, ...(body === undefined ? {} : { body }) };
    });
    return { status, text, versionId: header('x-amz-version-id') };
  };
}
