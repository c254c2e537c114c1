import type { Answer, Exchange } from './exchange.ts';
import { refuse } from './refusal.ts';
import { type Bucket, newBucket, type State } from './state.ts';
import { document, parse } from './xml.ts';

export function listBuckets(state: State, { grant }: Exchange): Answer {
  const own = [...state.buckets.values()].filter((bucket) => bucket.own && (grant.buckets?.includes(bucket.name) ?? true));
  const Bucket = own.map((bucket) => ({ Name: bucket.name, CreationDate: new Date(bucket.createdAt).toISOString() }));
  return { status: 200, body: document('ListAllMyBucketsResult', { Owner: { ID: grant.accessKeyId }, Buckets: { Bucket } }) };
}

export async function createBucket(state: State, exchange: Exchange): Promise<Answer> {
  const name = exchange.bucket ?? '';
  const { body } = exchange.headers['content-length'] === undefined ? { body: Buffer.alloc(0) } : await exchange.receive();
  const constraint = body.length === 0 ? undefined : parse(body, 'CreateBucketConfiguration').text('LocationConstraint');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw refuse('InvalidBucketName', { BucketName: name });
  if ((constraint ?? 'us-east-1') !== state.region) throw refuse('IllegalLocationConstraintException');
  const existing = state.buckets.get(name);
  if (existing !== undefined) throw refuse(existing.own ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists', { BucketName: name });
  const lock = exchange.headers['x-amz-bucket-object-lock-enabled']?.toLowerCase() === 'true';
  state.buckets.set(name, newBucket(name, state.clock(), { lock }));
  return { status: 200, headers: { location: `/${name}` } };
}

export function deleteBucket(state: State, bucket: Bucket): Answer {
  if (bucket.versions.size > 0) throw refuse('BucketNotEmpty', { BucketName: bucket.name });
  state.buckets.delete(bucket.name);
  return { status: 204 };
}

export function headBucket(state: State): Answer {
  return { status: 200, headers: { 'x-amz-bucket-region': state.region }, length: 0 };
}

export function getLocation(state: State): Answer {
  return { status: 200, body: document('LocationConstraint', state.region === 'us-east-1' ? '' : state.region) };
}

export function getVersioning(bucket: Bucket): Answer {
  return { status: 200, body: document('VersioningConfiguration', { Status: bucket.versioning }) };
}

export async function putVersioning(bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const status = parse((await exchange.receive()).body, 'VersioningConfiguration').text('Status');
  if (status !== 'Enabled' && status !== 'Suspended') throw refuse('MalformedXML');
  if (bucket.lock && status === 'Suspended') {
    throw refuse('InvalidBucketState', {
      Message: 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
    });
  }
  bucket.versioning = status;
  return { status: 200 };
}
