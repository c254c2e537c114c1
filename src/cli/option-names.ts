import type { OptionNames } from '../client/transfer-options.ts';

/** What messages of a push, a pull and a verification call the options here. */
export const optionNames: OptionNames = {
  directory: 'dir',
  force: '--force',
  manifest: '--manifest',
  noManifest: '--no-manifest',
  digest: '--digest',
  idempotencyKey: '--idempotency-key',
};
