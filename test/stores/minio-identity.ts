import { createHmac } from 'node:crypto';
import { type Issuer, startIssuer } from './issuer.ts';
import { type MinioOpenid, policies, startMinioOpenid, type Way } from './minio-openid.ts';
import type { Exchange } from './web-identity.ts';

/** A MinIO that trusts an issuer of these tests in both of its ways. */
export interface MinioIdentity extends Omit<MinioOpenid, 'exchange'> {
  readonly issuer: Issuer;
  /** A token, in a file of its own, that was made for one of the ways. */
  exchange(way: Way, token?: string): Promise<Exchange>;
  /** What the issuer signs for the way by role, where no audience is given. */
  token(audience?: string, claims?: Readonly<Record<string, unknown>>, seconds?: number): Promise<string>;
  /** What anybody signs who knows the secret of the client. */
  forged(secret: string): string;
}

export const clients: Readonly<Record<Way, string>> = { role: 'artifactstore-role', claim: 'artifactstore-claim' };

/** Secrets of the two clients; the exchange needs neither. */
export async function startMinioIdentity(secrets: Readonly<Record<Way, string>>): Promise<MinioIdentity> {
  await using starting = new AsyncDisposableStack();
  const issuer = starting.use(await startIssuer());
  const minio = starting.use(
    await startMinioOpenid(issuer.url, {
      role: { id: clients.role, secret: secrets.role },
      claim: { id: clients.claim, secret: secrets.claim },
    }),
  );
  const token: MinioIdentity['token'] = (audience = clients.role, claims = {}, seconds = 3600) =>
    issuer.sign('artifactstore', seconds, { aud: audience, ...claims });
  const running = starting.move();
  return {
    ...minio,
    issuer,
    token,
    async exchange(way, given) {
      const own = () => (way === 'role' ? token() : token(clients.claim, { policy: [policies.claim] }));
      return await minio.exchange(way, given ?? (await own()));
    },
    forged(secret) {
      // Written out: libraries refuse to sign with an empty secret.
      const exp = Math.floor(Date.now() / 1000) + 600;
      const parts = [
        { alg: 'HS256', typ: 'JWT', kid: clients.claim },
        { sub: 'somebody', aud: clients.claim, policy: policies.claim, exp },
      ];
      const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
