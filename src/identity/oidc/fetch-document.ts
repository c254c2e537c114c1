import { constants } from 'node:fs';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject } from '../../kernel/format/json-value.ts';
import { connectionCode, connectionFault } from '../../runtime/connection-fault.ts';
import { fileReason } from '../../runtime/file-error.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { readAtMost } from '../../runtime/read-at-most.ts';
import { unavailable } from './refusal.ts';

/** Real ones have a few thousand bytes, 20,000 with certificates. */
const maximumBytes = 262_144;
const maximumValues = 10_000;
/** All the authorities that an operating system knows have 250,000. */
const longestAuthority = 1_048_576;

export interface FetchOptions {
  /** The name of the table, for messages. */
  readonly name: string;
  /** What is asked for, for messages: "its keys". */
  readonly what: string;
  readonly caFile: string | undefined;
  /** Ends it, when it takes too long or nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Asks an issuer for a document, a JSON object. Redirects are not followed: an issuer is where it is said to be. The
 * file with the certificate of its authority is read each time, so that a new one needs no restart, and the connection
 * is not kept. Errors: `identity_unavailable`.
 */
export async function fetchDocument(url: string, { name, what, caFile, signal }: FetchOptions): Promise<JsonObject> {
  const ca = caFile === undefined ? undefined : await readAuthority(caFile, name);
  const client = createHttpClient({ address: url, ca, longestBytes: maximumBytes, signal });
  try {
    const { status, bytes } = await client.ask({ method: 'GET', path: '', headers: { accept: 'application/json' } });
    if (status !== 200) throw unavailable(name, `${what} were answered with the status ${status}${hintOf(status)}`);
    const value = parseJson(bytes, { maximumValues });
    if (isJsonObject(value)) return value;
    throw unavailable(name, `the answer for ${what} is not a JSON object`);
  } catch (error) {
    throw explained(error, name, what);
  } finally {
    await client.close();
  }
}

function hintOf(status: number): string {
  return status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
}

function explained(error: unknown, name: string, what: string): ArtifactstoreError {
  if (error instanceof ArtifactstoreError && error.code === 'identity_unavailable') return error;
  if (error instanceof ArtifactstoreError) return unavailable(name, `the answer for ${what} is not good JSON`, error);
  const code = connectionCode(error);
  const fault = code === undefined ? undefined : connectionFault(code);
  if (fault?.kind === 'too_long') return unavailable(name, `the answer for ${what} is longer than ${maximumBytes} bytes`, error);
  return unavailable(name, fault?.text ?? `the connection failed (${code ?? 'unknown'})`, error);
}

/** The certificate of a table's own authority, in PEM. Errors: `identity_unavailable`. */
export async function readAuthority(path: string, name: string): Promise<string> {
  let text: string;
  try {
    // A pipe that nobody writes to is empty, and not waited for.
    const bytes = await readAtMost(path, longestAuthority, constants.O_RDONLY | constants.O_NONBLOCK);
    if (bytes.length > longestAuthority) throw unavailable(name, `its ca_file is longer than ${longestAuthority} bytes`);
    text = new TextDecoder().decode(bytes);
  } catch (error) {
    if (error instanceof ArtifactstoreError) throw error;
    throw unavailable(name, `its ca_file can't be read (${fileReason(error)})`, error);
  }
  // Node takes a text without a certificate for an empty list, and then nothing says why no server is trusted.
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw unavailable(name, 'its ca_file has no certificate in PEM form');
  return text;
}
