import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionFault, isLasting } from '../../src/runtime/connection-fault.ts';

test('a code of the system or of OpenSSL says what is wrong, and whether waiting helps', () => {
  for (const [code, kind, lasting] of [
    ['ECONNREFUSED', 'nobody', false],
    ['ENOTFOUND', 'unknown_host', false],
    ['EHOSTUNREACH', 'no_route', false],
    ['UND_ERR_HEADERS_TIMEOUT', 'slow', false],
    ['ECONNRESET', 'cut', false],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'too_long', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'untrusted_certificate', true],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'untrusted_certificate', true],
    ['CERT_HAS_EXPIRED', 'expired_certificate', true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'other_name', true],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'speaks_http', true],
    ['EPROTO', 'speaks_http', true],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls', true],
    ['HPE_INVALID_CONSTANT', 'not_http', true],
  ] as const) {
    const fault = connectionFault(code);
    assert.equal(fault?.kind, kind, code);
    assert.equal(isLasting(fault), lasting, code);
  }
  for (const code of ['NoSuchKey', 'ENOSPC', '']) assert.equal(connectionFault(code), undefined, code);
});
