/**
 * Why the text can't be an issuer, as half a sentence about it; undefined where it can (OpenID Connect Discovery 1.0,
 * section 2): `https://`, or `http://` to this machine, without user, query or fragment.
 */
export function issuerUrlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url !== null && (url.search !== '' || url.hash !== '' || /[?#]/.test(text))) return 'must not have a query or a fragment';
  return keysUrlFault(text);
}

/** The same of an address where keys are. It may have a query. */
export function keysUrlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || /[\s\p{Cc}]/u.test(text)) return 'is not an address, which begins with https://';
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password';
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))) return undefined;
  return 'must begin with https:// (http:// only to this machine: 127.0.0.1, [::1] or localhost)';
}

/** Whether what is asked for there stays in this machine and needs no TLS. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Where an issuer describes itself (OpenID Connect Discovery 1.0, section 4). */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}
