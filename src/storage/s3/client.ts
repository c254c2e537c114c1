import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Keys } from '../../credentials/CREDENTIALS.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import { createAgents } from './agents.ts';
import { isRefusal, type Subject, storeError } from './errors.ts';
import { refuseForeignAnswers } from './foreign-answer.ts';
import type { Connection } from './settings.ts';

/** What the SDK takes beside a command, so that a request ends when its caller is stopped. */
export interface Stopping {
  readonly abortSignal?: AbortSignal;
}

/** Calls on one store, with whatever keys are valid at the moment. */
export interface S3Calls {
  /**
   * Makes one call. An answer that no store gives is no answer. Keys that the store refuses are renewed and the call is
   * made once more. Whatever fails becomes an ArtifactstoreError that names the setting to look at.
   */
  call<T>(subject: Subject, signal: AbortSignal | undefined, action: (client: S3Client, stopping: Stopping) => Promise<T>): Promise<T>;
  close(): void;
}

export interface CallOptions {
  /** Until a connection is made; 5,000 by default. */
  readonly connectMilliseconds?: number;
  /** From the request to the head of its answer, the body of the request included; 60,000 by default. */
  readonly answerMilliseconds?: number;
  /** How often a call is made before its failure counts; 5 by default. */
  readonly attempts?: number;
}

export function openS3Calls(connection: Connection, options: CallOptions = {}): S3Calls {
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: options.connectMilliseconds ?? 5000,
    requestTimeout: options.answerMilliseconds ?? 60_000,
    // Without it a request to a store that has stopped hangs for ever.
    throwOnRequestTimeout: true,
    ...createAgents(),
  });
  let current: { readonly keys: Keys; readonly client: S3Client } | undefined;

  /** The SDK keeps keys that do not say when they end for ever, so there is a client for each set of keys. */
  async function clientNow(): Promise<{ readonly keys: Keys; readonly client: S3Client }> {
    const keys = await connection.credentials.keys();
    if (current?.keys !== keys) {
      const client = new S3Client(clientConfig(connection, keys, requestHandler, options));
      refuseForeignAnswers(client);
      current = { keys, client };
    }
    return current;
  }

  return {
    async call(subject, signal, action) {
      throwIfStopped(signal);
      const stopping: Stopping = signal === undefined ? {} : { abortSignal: signal };
      const first = await clientNow();
      try {
        return await action(first.client, stopping);
      } catch (error) {
        if (!isRefusal(error)) throw storeError(error, subject, connection, signal);
        connection.credentials.refused(first.keys);
        const second = await clientNow();
        if (second.keys === first.keys) throw storeError(error, subject, connection, signal);
        try {
          return await action(second.client, stopping);
        } catch (again) {
          throw storeError(again, subject, connection, signal);
        }
      }
    },
    close: () => requestHandler.destroy(),
  };
}

function clientConfig(connection: Connection, keys: Keys, requestHandler: NodeHttpHandler, options: CallOptions): S3ClientConfig {
  return {
    region: connection.region,
    forcePathStyle: connection.forcePathStyle,
    credentials: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
    },
    ...(connection.endpointUrl === undefined ? {} : { endpoint: connection.endpointUrl }),
    requestHandler,
    // What it would tell the console is in the errors.
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    maxAttempts: options.attempts ?? 5,
    // Bodies are bound by the signed x-amz-content-sha256; trailing checksums are refused by older stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: false,
    // Never the machine's own profile: what is not in the configuration is not used.
    ignoreConfiguredEndpointUrls: true,
  };
}

const silent = (): void => undefined;
