/**
 * What a JSON Web Token (RFC 7519, in the compact form of RFC 7515) claims, with nothing verified: to plan by and to
 * explain with, never to decide who somebody is. Undefined for what has another form.
 */
export function unverifiedClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A NumericDate (RFC 7519 section 2) in milliseconds since the epoch; undefined for what is none. */
export function numericDate(claim: unknown): number | undefined {
  return typeof claim === 'number' && Math.abs(claim) <= latestSeconds ? claim * 1000 : undefined;
}

/** What a Date of JavaScript can say. */
const latestSeconds = 8_640_000_000_000;
