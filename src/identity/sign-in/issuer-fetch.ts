import { ArtifactstoreError } from '../../kernel/error.ts';
import { connectionCode, connectionFault } from '../../runtime/connection-fault.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { readAuthority } from '../oidc/fetch-document.ts';
import { signInUnavailable } from './refusal.ts';

/** Real answers have a few thousand bytes. */
const longestAnswer = 262_144;
const longestMilliseconds = 10_000;

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Asks one issuer, as `fetch` would: bounded in time and length, no redirect followed, with the certificate of its own
 * authority where the table names one. Errors: `identity_unavailable`.
 */
export function issuerFetch(name: string, caFile: string | undefined): (url: string, asked: Asked) => Promise<Response> {
  return async (url, { method = 'GET', headers = {}, body }) => {
    const ca = caFile === undefined ? undefined : await readAuthority(caFile, name);
    const signal = AbortSignal.timeout(longestMilliseconds);
    const client = createHttpClient({ address: url, ca, longestBytes: longestAnswer, signal });
    try {
      const text = body === undefined || body === null ? undefined : String(body);
      const answer = await client.ask({
        method: method === 'POST' ? 'POST' : 'GET',
        path: '',
        headers: { ...headers },
        ...(text === undefined ? {} : { body: text }),
      });
      const type = answer.header('content-type');
      return new Response(answer.status === 204 ? null : Buffer.from(answer.bytes), {
        status: answer.status,
        headers: type === undefined ? {} : { 'content-type': type },
      });
    } catch (error) {
      if (error instanceof ArtifactstoreError) throw error;
      const code = connectionCode(error);
      throw signInUnavailable(name, (code === undefined ? undefined : connectionFault(code)?.text) ?? 'the connection failed');
    } finally {
      await client.close();
    }
  };
}
