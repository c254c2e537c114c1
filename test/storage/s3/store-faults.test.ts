import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { explainFault } from '../../../src/storage/s3/store-faults.ts';
import { openS3OnStrictStore } from '../../compose/open-s3.ts';
import { localhostCertificate } from '../../stores/certificate.ts';

describe('s3 storage: an address that does not speak as asked', () => {
  const { key, cert } = localhostCertificate();

  for (const [name, secure, scheme, said] of [
    ['a certificate that nobody vouches for', true, 'https', /self-signed or comes from an authority.*NODE_EXTRA_CA_CERTS/],
    ['https to a port of http', false, 'https', /https was asked for.*http or https \(ARTIFACTSTORE_S3_ENDPOINT_URL\)/],
    ['http to a port of https', true, 'http', /http or https in ARTIFACTSTORE_S3_ENDPOINT_URL/],
  ] as const)
    test(name, async () => {
      const server = secure ? createTlsServer({ key, cert }) : createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const endpointUrl = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
      await using opened = await openS3OnStrictStore({ settings: { endpointUrl }, calls: { attempts: 1 } });
      await assert.rejects(opened.storage.head('key'), { code: 'storage_unavailable', message: said });
      server.closeAllConnections();
      server.close();
    });
});

describe('s3 storage: refused keys', () => {
  const place = { bucket: 'b', region: 'r', endpointUrl: undefined, variables: 'S_' };
  const codes = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'AccessDenied', 'UserSuspended', 'Unknown'];
  const textOf = (code: string, keysSetting?: string) => {
    const answer = { code, status: 403, target: undefined, otherRegion: undefined, page: undefined };
    return explainFault(answer, keysSetting === undefined ? place : { ...place, keysSetting }).text;
  };
  test('name the one setting that leads to them, or else those of references and roles', () => {
    for (const code of codes) {
      assert.match(textOf(code), /S_(ACCESS_KEY|SECRET_KEY|SESSION_TOKEN)_REF/, code);
      const one = textOf(code, 'S_GENERATIONS');
      assert.ok(one.includes('S_GENERATIONS') && !/_REF|ROLE_ARN/.test(one), `${code}: ${one}`);
    }
  });
});
