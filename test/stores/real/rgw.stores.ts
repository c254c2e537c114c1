import { after, before, describe } from 'node:test';
import { webIdentityCredentials } from '../../../src/credentials/web-identity.ts';
import { defaultDialect } from '../../../src/storage/s3/settings.ts';
import { conformanceOn } from './conformance.ts';
import { type Issuer, startIssuer } from './issuer.ts';
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
    issuer = await startIssuer();
    bucket = await rgw.createBucket();
    identity = await prepareWebIdentity(rgw, issuer, bucket);
  });
  after(async () => {
    await identity?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
    await rgw?.[Symbol.asyncDispose]();
  });

  conformanceOn('with the keys of a user', () => settingsOf(rgw, bucket));

  conformanceOn('with short-lived keys of a role', () => {
    const credentials = webIdentityCredentials({
      stsEndpointUrl: identity.stsEndpointUrl,
      region: rgw.region,
      roleArn: identity.roleArn,
      webIdentityTokenFile: identity.tokenFile,
      sessionDurationSeconds: 900,
    });
    return settingsOf(rgw, bucket, { credentials, dialect: { ...defaultDialect, ownerAcl: true } });
  });
});
