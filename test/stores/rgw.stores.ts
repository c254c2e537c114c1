import { after, before, describe, test } from 'node:test';
import type { Credentials } from '../../src/credentials/CREDENTIALS.ts';
import { webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { defaultDialect } from '../../src/storage/s3/settings.ts';
import { conformanceOn } from './conformance.ts';
import { type Issuer, longestTokenSeconds, startIssuer } from './issuer.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { settingsOf } from './settings-of.ts';
import { prepareWebIdentity, type WebIdentity } from './web-identity.ts';

describe('Ceph RGW', { skip: whyNoRgw() ?? false }, () => {
  let rgw: Rgw;
  let bucket: string;
  let issuer: Issuer;
  let identity: WebIdentity;
  before(async () => {
    rgw = await startRgw();
    issuer = await startIssuer(longestTokenSeconds);
    bucket = await rgw.createBucket();
    identity = await prepareWebIdentity(rgw, issuer, bucket);
  });
  after(async () => {
    await identity?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
    await rgw?.[Symbol.asyncDispose]();
  });

  conformanceOn('with the keys of a user', () => settingsOf(rgw, bucket));

  const roleCredentials = (): Credentials =>
    webIdentityCredentials({
      stsEndpointUrl: identity.stsEndpointUrl,
      region: rgw.region,
      roleArn: identity.roleArn,
      webIdentityTokenFile: identity.tokenFile,
      sessionDurationSeconds: 900,
    });

  conformanceOn('with short-lived keys of a role', () =>
    settingsOf(rgw, bucket, { credentials: roleCredentials(), dialect: { ...defaultDialect, ownerAcl: true } }),
  );

  test('several servers take a role for the first time at once', async () => {
    try {
      for (let round = 0; round < 5; round++) {
        await identity.writeToken(await issuer.sign(`newcomer-${round}`));
        await Promise.all(Array.from({ length: 6 }, () => roleCredentials().keys()));
      }
    } finally {
      await identity.writeToken();
    }
  });
});
