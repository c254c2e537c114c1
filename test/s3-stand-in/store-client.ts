import { Agent } from 'node:http';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { StrictStore } from './strict-store.ts';

/** The SDK's client of a store: path style, one attempt, checksums where they are required only. */
export function clientOf(store: StrictStore, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: store.url,
    region: store.region,
    forcePathStyle: true,
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...config,
  });
}

/** Sends every name to 127.0.0.1, as a resolver that knows `*.localhost` does. */
export function localNames(): NodeHttpHandler {
  const lookup: NonNullable<ConstructorParameters<typeof Agent>[0]>['lookup'] = (_name, options, callback) => {
    if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  };
  return new NodeHttpHandler({ httpAgent: new Agent({ lookup }) });
}
