import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
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
