import { randomBytes } from 'node:crypto';
import type { Keys } from '../credentials/CREDENTIALS.ts';
import { isArtifactstoreError } from '../kernel/error.ts';
import { encode, sha256, signInHeader } from '../protocol/aws-signature.ts';
import { type Answer, type Asker, createAsker } from './ask.ts';
import type { Outside, Proof, ProofCheck, Scope } from './PROVIDER.ts';
import { type Patience, untilKnown } from './propagation.ts';

/** Where the objects are, for the proofs of every driver. */
export interface ObjectPlace {
  /** Without a trailing slash. */
  readonly endpointUrl: string;
  readonly region: string;
}

interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Proves keys at an S3 endpoint, path-style. What it writes lies below `.artifactstore-proof/` of the scope and is
 * deleted again. Outside of the scope nothing is ever left: what should have been refused and was not is deleted.
 */
export async function proveAtS3(place: ObjectPlace, keys: Keys, scope: Scope, outside: Outside, patience: Patience): Promise<Proof> {
  const asker = createAsker({ place: place.endpointUrl, address: place.endpointUrl, answerMilliseconds: 60_000, signal: patience.signal });
  try {
    return await prove(caller(place, keys, asker), scope, outside, patience);
  } finally {
    await asker.close();
  }
}

type Send = (call: Call) => Promise<Answer>;

async function prove(send: Send, scope: Scope, { otherBucket }: Outside, patience: Patience): Promise<Proof> {
  const { bucket, prefix } = scope;
  const name = `.artifactstore-proof/${randomBytes(12).toString('hex')}`;
  const key = prefix === '' ? name : `${prefix}/${name}`;
  const body = randomBytes(24).toString('hex');
  const checks: ProofCheck[] = [];
  const inside = async (what: ProofCheck['what'], call: Call, isRight: (answer: Answer) => boolean): Promise<boolean> => {
    const answer = await untilKnown(patience, () => send(call), isRefusal);
    checks.push({ what, result: isRight(answer) ? 'holds' : 'fails', told: told(answer) });
    return isRight(answer);
  };
  const outsideOf = async (what: ProofCheck['what'], ask: () => Promise<Pick<ProofCheck, 'result' | 'told'>>): Promise<void> => {
    try {
      checks.push({ what, ...(await ask()) });
    } catch (error) {
      if (!isArtifactstoreError(error, 'provider_unavailable')) throw error;
      checks.push({ what, result: 'unknown', told: error.message });
    }
  };

  const wrote = await inside('write', { method: 'PUT', bucket, key, body }, ({ status }) => status === 200);
  if (!wrote) return { checks };
  try {
    await inside('head', { method: 'HEAD', bucket, key }, ({ status }) => status === 200);
    await inside('read', { method: 'GET', bucket, key }, ({ status, text }) => status === 200 && text === body);
  } finally {
    await inside('delete', { method: 'DELETE', bucket, key }, ({ status }) => status === 204 || status === 200);
  }

  await outsideOf('other_bucket', async () => {
    if (otherBucket === undefined) return { result: 'unknown', told: 'no other bucket is known: name one with --other-bucket' };
    return await refusedWrite(send, { bucket: otherBucket, key: name, body });
  });
  await outsideOf('other_prefix', async () => {
    if (prefix === '') return { result: 'not_applicable', told: 'the scope is the whole bucket' };
    // Beside the prefix, not below it: a rule that compares beginnings without the slash would let it in.
    return await refusedWrite(send, { bucket, key: `${prefix}-outside/${name}`, body });
  });
  await outsideOf('account_list', async () => listsOnly(await send({ method: 'GET', bucket: '' }), bucket));
  return { checks };
}

async function refusedWrite(
  send: Send,
  target: { bucket: string; key: string; body: string },
): Promise<Pick<ProofCheck, 'result' | 'told'>> {
  const answer = await send({ method: 'PUT', ...target });
  if (answer.status === 200) {
    const gone = await send({ method: 'DELETE', bucket: target.bucket, key: target.key });
    return { result: 'fails', told: `${told(answer)}; what was written was deleted again (${told(gone)})` };
  }
  if (isRefusal(answer)) return { result: 'holds', told: told(answer) };
  return { result: 'unknown', told: `${told(answer)}: that is no refusal` };
}

/** A list of the account is refused, or shows nothing but the bucket itself. */
function listsOnly(answer: Answer, bucket: string): Pick<ProofCheck, 'result' | 'told'> {
  if (isRefusal(answer)) return { result: 'holds', told: told(answer) };
  if (answer.status !== 200) return { result: 'unknown', told: `${told(answer)}: that is no refusal` };
  const names = [...answer.text.matchAll(/<Bucket>.*?<Name>([^<]*)<\/Name>/gs)].map(([, name]) => name);
  const others = names.filter((name) => name !== bucket).length;
  if (others === 0)
    return { result: 'holds', told: `${told(answer)}: nothing but ${names.length === 0 ? 'an empty list' : 'this bucket'}` };
  return { result: 'fails', told: `${told(answer)}: it shows ${others} more` };
}

function caller({ region, endpointUrl }: ObjectPlace, keys: Keys, asker: Asker): Send {
  const { host, pathname } = new URL(endpointUrl);
  const root = pathname.replace(/\/$/, '');
  return ({ method, bucket, key, query = {}, body }) =>
    asker.ask(() => {
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
}

function isRefusal({ status }: Answer): boolean {
  return status === 401 || status === 403;
}

function told({ status, text }: Answer): string {
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}
