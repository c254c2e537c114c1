import { storeError } from '../storage/s3/errors.ts';
import { foreignAnswer } from '../storage/s3/foreign-answer.ts';
import type { Connection } from '../storage/s3/settings.ts';
import type { Call, Reply, Wire } from './wire.ts';

/** What is asked, by whom, and how a success shows that a store gave it. */
export interface Demand {
  /** As in "could not list". */
  readonly doing: string;
  readonly connection: Connection;
  readonly signal?: AbortSignal | undefined;
  /** Whether a success is a store's: what is in front of one answers 200 to everything. */
  readonly isStores?: (reply: Reply) => boolean;
}

/** An answer that must be a success. Errors: `storage_unavailable` and `storage_full`, in our words; `cancelled`. */
export async function demanded(wire: Wire, call: Call, demand: Demand): Promise<Reply> {
  const reply = await answered(wire, call, demand);
  if (isSuccess(reply, demand)) return reply;
  throw answerError(reply, demand);
}

/** Any answer at all. Errors: `storage_unavailable` where none comes; `cancelled`. */
export async function answered(wire: Wire, call: Call, { doing, connection, signal }: Demand): Promise<Reply> {
  return await wire.send(call).catch((error: unknown) => {
    throw storeError(error, { doing }, connection, signal);
  });
}

export function isSuccess(reply: Reply, { isStores = () => true }: Pick<Demand, 'isStores'>): boolean {
  return reply.status >= 200 && reply.status < 300 && isStores(reply);
}

/** What an answer that is no success of a store means. */
export function answerError(reply: Reply, { doing, connection, signal }: Demand): unknown {
  const { status, code, headers, body } = reply;
  const isSuccessful = status < 300;
  // A store says why in XML; an answer without that may be a page of somebody else.
  const page = code === undefined && body.length > 0 ? { $responseBodyText: body.subarray(0, longestTitle).toString() } : {};
  const error = {
    name: 'Unknown',
    ...(isSuccessful ? { code: foreignAnswer } : {}),
    ...(code === undefined ? {} : { Code: code }),
    ...page,
    $metadata: { httpStatusCode: status },
    $response: { statusCode: status, headers: plainHeaders(headers) },
  };
  return storeError(error, { doing }, connection, signal);
}

function plainHeaders(headers: Reply['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** Whether this is a list as stores give it. */
export function isList({ body }: Reply): boolean {
  return body.includes('<ListBucketResult');
}

const longestTitle = 4096;
