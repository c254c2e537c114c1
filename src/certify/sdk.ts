import type { Readable } from 'node:stream';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ArtifactstoreError } from '../kernel/error.ts';
import { storeCode, storeStatus } from '../storage/s3/errors.ts';
import type { ProbeContext } from './probe.ts';

export type SdkHabit = 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';

/** Writes as the AWS SDK does, with its habits of checksums. */
export async function putBySdk(
  context: ProbeContext,
  key: string,
  body: Uint8Array | Readable,
  length: number,
  habit: SdkHabit,
): Promise<void> {
  const client = await clientOf(context, habit);
  const { bucket: Bucket } = context.connection;
  try {
    await client.send(
      new PutObjectCommand({ Bucket, Key: key, Body: body, ContentLength: length }),
      context.signal === undefined ? {} : { abortSignal: context.signal },
    );
  } catch (error) {
    const status = storeStatus(error);
    throw new ArtifactstoreError('storage_unavailable', `answered ${status === undefined ? '' : `${status} `}${storeCode(error)}`, {
      cause: error,
    });
  } finally {
    client.destroy();
  }
}

/** A URL for one PUT, as the AWS SDK signs it. */
export async function presignBySdk(context: ProbeContext, key: string): Promise<string> {
  const client = await clientOf(context, 'WHEN_REQUIRED');
  try {
    return await getSignedUrl(client, new PutObjectCommand({ Bucket: context.connection.bucket, Key: key }), { expiresIn: 300 });
  } finally {
    client.destroy();
  }
}

async function clientOf({ connection, patienceMilliseconds, wire }: ProbeContext, habit: SdkHabit): Promise<S3Client> {
  const { accessKeyId, secretAccessKey, sessionToken } = await connection.credentials.keys();
  return new S3Client({
    region: connection.region,
    forcePathStyle: connection.forcePathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    ...(connection.endpointUrl === undefined ? {} : { endpoint: connection.endpointUrl }),
    maxAttempts: 1,
    requestChecksumCalculation: habit,
    responseChecksumValidation: habit,
    systemClockOffset: wire.clockAheadMilliseconds,
    followRegionRedirects: false,
    ignoreConfiguredEndpointUrls: true,
    // It would speak to the terminal otherwise.
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    requestHandler: new NodeHttpHandler({ requestTimeout: patienceMilliseconds, throwOnRequestTimeout: true }),
  });
}

const silent = (): void => undefined;
