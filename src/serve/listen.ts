import type { Engine } from '../http/engine.ts';
import { ArtifactstoreError } from '../kernel/error.ts';

/** Begins to listen, or says in words why that can't be; resolves to where. */
export async function listenOrSay(server: Pick<Engine, 'listen'>, host: string, port: number): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : failures[code];
    if (reason === undefined) throw error;
    throw new ArtifactstoreError('invalid_configuration', `Can't listen on ${host}, port ${port}: ${reason}.`, {
      info: { hint: 'choose another with --host and --port' },
      cause: error,
    });
  }
}

const failures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'it is not permitted',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};
