import type { Agent } from 'undici';

export interface HttpQuestion {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  /** The first field of that name, which is in small letters. */
  header(name: string): string | undefined;
}

/** One server of another kind than ours that is asked short questions. */
export interface HttpClient {
  /**
   * Any answer, whatever its status; redirects are not followed, since a token would follow them. Fails with what
   * undici and the system throw: `connectionCode` and `connectionFault` say what it was.
   */
  ask(question: HttpQuestion): Promise<HttpAnswer>;
  /** Ends what is under way, too. */
  close(): Promise<void>;
}

export interface HttpClientOptions {
  /** `https://host`, with a path where it has one, without a trailing slash. */
  readonly address: string;
  /** 5,000 by default. */
  readonly connectMilliseconds?: number | undefined;
  /** How long a whole answer may take once there is a connection: 10,000 by default. */
  readonly answerMilliseconds?: number | undefined;
  /** A certificate in PEM that is trusted instead of those that the system knows. */
  readonly ca?: string | undefined;
  /** Takes whatever certificate is shown: only for questions that have no secret, and answers that nobody relies on. */
  readonly anyCertificate?: boolean | undefined;
  /** The longest answer that is taken. */
  readonly longestBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Times and lengths are bounded, and nothing is tried again: what may be is known to those who ask. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { address, connectMilliseconds = 5_000, answerMilliseconds = 10_000, signal } = options;
  let agent: Promise<Agent> | undefined;

  return {
    async ask({ method, path, headers, body }) {
      // Loaded by the first question: a command that asks nobody starts without it.
      const { request } = await import('undici');
      agent ??= openAgent({ ...options, connectMilliseconds, answerMilliseconds });
      const time = AbortSignal.timeout(connectMilliseconds + answerMilliseconds);
      const response = await request(`${address}${path}`, {
        dispatcher: await agent,
        method,
        signal: signal === undefined ? time : AbortSignal.any([time, signal]),
        headers: { 'user-agent': 'artifactstore', ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const bytes = new Uint8Array(await response.body.arrayBuffer());
      return {
        status: response.statusCode,
        bytes,
        header(name) {
          const value = response.headers[name];
          return typeof value === 'string' ? value : value?.[0];
        },
      };
    },
    async close() {
      await (await agent)?.destroy();
    },
  };
}

type AgentOptions = Pick<HttpClientOptions, 'ca' | 'anyCertificate' | 'longestBytes'> & {
  connectMilliseconds: number;
  answerMilliseconds: number;
};

async function openAgent({ connectMilliseconds, answerMilliseconds, ca, anyCertificate, longestBytes }: AgentOptions): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({
    maxResponseSize: longestBytes,
    // A command ends when its connections have.
    keepAliveTimeout: 1_000,
    keepAliveMaxTimeout: 1_000,
    connect: {
      timeout: connectMilliseconds,
      ...(ca === undefined ? {} : { ca }),
      // Said in any case: NODE_TLS_REJECT_UNAUTHORIZED=0, set for another program, would give tokens to anybody.
      rejectUnauthorized: anyCertificate !== true,
    },
    headersTimeout: answerMilliseconds,
    bodyTimeout: answerMilliseconds,
  });
}
