import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small security token service on a port of its own: it checks what it is asked, and can be told to misbehave. */
export interface StsServer extends AsyncDisposable {
  readonly url: string;
  readonly roleArn: string;
  /** The tokens that are taken; a test may change them. */
  readonly tokens: Set<string>;
  /** What was asked, whatever the answer. */
  readonly requests: readonly StsRequest[];
  behaviour: StsBehaviour;
}

export interface StsRequest {
  readonly form: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

export interface StsBehaviour {
  readonly maximumSeconds?: number;
  /** How refusals look: with the envelope of AWS, bare as from Ceph, or as from MinIO with one code for all. */
  readonly dialect?: 'aws' | 'ceph' | 'minio';
  /** It reads from the token what it allows, and wants no role. */
  readonly withoutRole?: boolean;
  readonly delayMilliseconds?: number;
  /** Instead of an answer of its own. */
  readonly answer?: 'unavailable' | 'web page' | 'nothing found' | 'no keys' | 'silence' | 'half an answer' | 'token repeated';
  /** How many requests from now are answered 409, as Ceph does to subjects that come at the same time. */
  readonly overtaken?: number;
  /** When the keys end, by this server's clock; as was asked by default. */
  readonly expiration?: (seconds: number) => Date;
}

export async function startSts(now: () => number = Date.now): Promise<StsServer> {
  const requests: StsRequest[] = [];
  const tokens = new Set<string>();
  const state: { behaviour: StsBehaviour } = { behaviour: {} };
  const roleArn = 'arn:aws:iam:::role/artifactstore';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const form = Object.fromEntries(new URLSearchParams(body));
    requests.push({ form, authorization: request.headers.authorization });
    const { behaviour } = state;
    if (behaviour.delayMilliseconds !== undefined) await new Promise((resolve) => setTimeout(resolve, behaviour.delayMilliseconds));
    const send = (status: number, text: string, type = 'text/xml'): void => {
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    const refuse = (status: number, code: string, message = ''): void => {
      const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
      send(
        status,
        behaviour.dialect === 'ceph' ? `<?xml version="1.0" encoding="UTF-8"?>${error}` : `<ErrorResponse>${error}</ErrorResponse>`,
      );
    };
    if ((behaviour.overtaken ?? 0) > 0) {
      state.behaviour = { ...behaviour, overtaken: behaviour.overtaken! - 1 };
      return refuse(409, 'BucketAlreadyExists');
    }
    switch (behaviour.answer) {
      case 'unavailable':
        return refuse(503, 'ServiceUnavailable');
      case 'web page':
        return send(200, '<!doctype html><title>Welcome</title><p>Nothing to see', 'text/html');
      case 'nothing found':
        return send(404, '<html><body>404 Not Found</body></html>', 'text/html');
      case 'no keys':
        return send(200, '<AssumeRoleWithWebIdentityResponse/>');
      case 'silence':
        return;
      case 'half an answer':
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': 1000 }).write('<AssumeRoleWithWebIdentityResponse>');
        return;
      case 'token repeated':
        return refuse(400, 'InvalidIdentityToken', `The token ${form.WebIdentityToken} is bad`);
    }
    const seconds = Number(form.DurationSeconds);
    if (form.Action !== 'AssumeRoleWithWebIdentity' || form.Version !== '2011-06-15') return refuse(400, 'InvalidAction');
    if (behaviour.dialect === 'minio') {
      if (!tokens.has(form.WebIdentityToken ?? '') || (form.RoleArn === undefined) !== (behaviour.withoutRole === true))
        return refuse(400, 'InvalidParameterValue');
    } else {
      if (!tokens.has(form.WebIdentityToken ?? '')) return refuse(403, 'AccessDenied');
      if (form.RoleArn !== roleArn) return refuse(404, 'NoSuchEntity');
    }
    if (!/^[\w+=,.@-]{2,64}$/.test(form.RoleSessionName ?? '')) return refuse(400, 'InvalidArgument');
    if (!(seconds >= 1 && seconds <= (behaviour.maximumSeconds ?? 43_200)))
      return behaviour.dialect === 'ceph' ? refuse(400, 'InvalidArgument') : refuse(400, 'ValidationError', 'exceeds MaxSessionDuration');
    const end = behaviour.expiration?.(seconds) ?? new Date(now() + 1000 * seconds);
    const keys = `<AccessKeyId>${word()}</AccessKeyId><SecretAccessKey>${word()}</SecretAccessKey><SessionToken>${word()}</SessionToken>`;
    send(
      200,
      `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>${keys}<Expiration>${end.toISOString()}</Expiration>` +
        '</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
    );
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    roleArn,
    tokens,
    requests,
    get behaviour() {
      return state.behaviour;
    },
    set behaviour(behaviour) {
      state.behaviour = behaviour;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function word(): string {
  return randomBytes(15).toString('hex').toUpperCase();
}
