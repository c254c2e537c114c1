import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '../../src/credentials/CREDENTIALS.ts';
import { type WebIdentityOptions, type WebIdentitySettings, webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { type StsServer, startSts } from './sts-server.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

/** A security token service, a file with a token that it takes, and credentials that exchange the one at the other. */
export interface World extends AsyncDisposable {
  readonly sts: StsServer;
  readonly clock: VirtualClock;
  readonly tokenFile: string;
  readonly credentials: Credentials;
  with(settings: Partial<WebIdentitySettings>, options?: WebIdentityOptions): Credentials;
}

export async function openWorld(): Promise<World> {
  const clock = virtualClock();
  const sts = await startSts(clock.now);
  const directory = mkdtempSync(join(tmpdir(), 'web-identity-'));
  const tokenFile = join(directory, 'token');
  const token = webToken(clock.now() + 86_400_000);
  sts.tokens.add(token);
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const make = (settings: Partial<WebIdentitySettings> = {}, options: WebIdentityOptions = {}): Credentials =>
    webIdentityCredentials(
      {
        stsEndpointUrl: sts.url,
        region: 'us-east-1',
        roleArn: sts.roleArn,
        webIdentityTokenFile: tokenFile,
        sessionDurationSeconds: 3600,
        ...settings,
      },
      { ...clock, attempts: 1, ...options },
    );
  return {
    sts,
    clock,
    tokenFile,
    credentials: make(),
    with: make,
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true });
      await sts[Symbol.asyncDispose]();
    },
  };
}

/** Looks like a token, with a part that must not turn up anywhere. */
export function webToken(endsAt: number): string {
  const payload = Buffer.from(JSON.stringify({ iss: 'http://issuer', sub: 'server', exp: Math.floor(endsAt / 1000) })).toString(
    'base64url',
  );
  return `eyJhbGciOiJSUzI1NiJ9.${payload}.s1gnature-${Math.random().toString(36).slice(2)}`;
}
