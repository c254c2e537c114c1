import { utf8 } from '../../kernel/content/digest.ts';
import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import type { Created } from '../../registry/REGISTRY.ts';
import type { WireAnswer } from './answer.ts';
import type { Shape } from './shape.ts';
import type { Transport, WireRequest } from './transport.ts';

/** Query text with its question mark; absent values are left out. */
export function queryText(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

export async function getJson<T>(transport: Transport, path: string, shape: Shape<T>): Promise<T> {
  return await transport.exchange({ method: 'GET', path, repeatable: true }, (answer) => answer.json(shape));
}

/** Undefined when the server says, by its own code, that there is no such record. */
export async function lookUp<T>(request: Promise<T>, missing: ErrorCode): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isArtifactstoreError(error, missing)) return undefined;
    throw error;
  }
}

/** A JSON request; `body` undefined sends none. */
export function jsonRequest(
  method: 'POST' | 'DELETE',
  path: string,
  body: unknown,
  more: Pick<WireRequest, 'repeatable'> & { readonly headers?: Readonly<Record<string, string>> },
): WireRequest {
  if (body === undefined) return { method, path, ...more };
  return { method, path, ...more, headers: { ...more.headers, 'content-type': 'application/json' }, body: utf8(JSON.stringify(body)) };
}

/** Reads an answer whose 201 says that the record was made, and any other good status that it was there. */
export function created<T>(shape: Shape<T>): (answer: WireAnswer) => Promise<Created<T>> {
  return async (answer) => ({ record: await answer.json(shape), created: answer.status === 201 });
}
