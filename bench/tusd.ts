import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { findProgram } from './program.ts';

/** The reference server of tus, with its files in `directory`; undefined where it is not installed. */
export async function startTusd(directory: string): Promise<Daemon | undefined> {
  const program = findProgram('tusd');
  if (program === undefined) return undefined;
  const port = await freePort();
  return await startDaemon(
    program,
    ['-host', '127.0.0.1', '-port', String(port), '-upload-dir', join(directory, 'tusd'), '-base-path', '/uploads/'],
    {
      port,
      readyPath: '/metrics',
      directory,
      logPath: join(directory, 'tusd.log'),
    },
  );
}
