import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { Identity } from '../identity/IDENTITY.ts';
import { openIdentity } from '../identity/open.ts';
import type { BearerToken } from '../identity/server-tokens.ts';
import type { ReadReference } from '../identity/sign-in/client.ts';

/**
 * Who callers of a server are. What becomes of its access file is in the log: once, although each of several processes
 * (`processes` of them) reads it.
 */
export async function openServedIdentity(
  tokens: readonly BearerToken[],
  accessFile: string | undefined,
  log: Pick<Logger, 'info' | 'warn' | 'error'>,
  processes = 1,
  readReference?: ReadReference,
): Promise<Identity> {
  if (accessFile === undefined) return await openIdentity({ tokens });
  const parts = { tokens, ...(readReference === undefined ? {} : { readReference }) };
  if (cluster.isWorker) return await openIdentity({ ...parts, accessFile: { path: accessFile, processes } });
  return await openIdentity({
    ...parts,
    accessFile: {
      path: accessFile,
      processes,
      onRefused: (error) => log.error({ path: accessFile, err: error }, 'a new access file is refused; the old one stays in force'),
      onTaken: ({ path, loaded_at }, warnings) => {
        log.info({ path, loaded_at }, 'the access file is in force');
        for (const { line, column, message } of warnings)
          log.warn({ path, line, column, reason: message }, 'the access file may not say what it should');
      },
    },
  });
}
