import type { CryptoKey } from 'jose';
import { JOSEError } from 'jose/errors';
import { compactVerify } from 'jose/jws/compact/verify';
import { refused } from './refusal.ts';

/** Whether the key made the signature of the token. Errors: `unauthorized`. */
export async function checkSignature(token: string, key: CryptoKey, algorithm: string): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
  } catch (error) {
    if (error instanceof JOSEError || error instanceof TypeError)
      throw refused('its signature does not match, so it was changed or made by somebody else', error);
    throw error;
  }
}
