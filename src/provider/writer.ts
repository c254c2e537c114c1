import { ArtifactstoreError } from '../kernel/error.ts';
import type { Secrets, SecretsWriter } from '../secrets/SECRETS.ts';

/** Errors: `invalid_configuration` for a store that nobody can write to. */
export function writerOf(secrets: Secrets): SecretsWriter {
  if (secrets.writer !== undefined) return secrets.writer;
  throw new ArtifactstoreError('invalid_configuration', `The store ${secrets.place} cannot be written to.`, {
    field: '--store',
    info: { hint: 'give file:/absolute/directory or vault:https://host:8200/MOUNT/PATH' },
  });
}
