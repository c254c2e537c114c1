/** An http or https address without a trailing slash; throws an Error that says what is wrong with it. */
export function parseHttpUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new Error(`"${text}" is not an http:// or https:// address`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new Error('an address here has no user, password, query or fragment');
  return url.href.replace(/\/+$/, '');
}

/** Whether a host, as a URL names it, is this machine itself: what goes there crosses no network. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
