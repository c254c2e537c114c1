import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { findProgram } from './program.ts';

/**
 * nginx with one worker, serving `root` unlogged from the page cache by sendfile; undefined where it is not installed.
 */
export async function startNginx(directory: string, root: string): Promise<Daemon | undefined> {
  const program = findProgram('nginx');
  if (program === undefined) return undefined;
  const port = await freePort();
  const configuration = join(directory, 'nginx.conf');
  for (const folder of temporaryFolders) mkdirSync(join(directory, folder), { recursive: true });
  writeFileSync(
    configuration,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/nginx-error.log;
events { worker_connections 512; }
http {
  ${temporaryFolders.map((folder) => `${folder}_temp_path ${directory}/${folder};`).join('\n  ')}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  server { listen 127.0.0.1:${port}; root ${root}; location = /ready { return 200 "ready"; } }
}
`,
  );
  return startDaemon(program, ['-c', configuration, '-p', directory, '-e', join(directory, 'nginx-error.log')], {
    port,
    readyPath: '/ready',
    directory,
    logPath: join(directory, 'nginx.log'),
  });
}

const temporaryFolders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
