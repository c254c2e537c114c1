import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { findProgram } from './program.ts';
import { type Content, upload } from './transfer.ts';

/** Debian's docker-registry (CNCF distribution) with its files in `directory`; undefined where it is not installed. */
export async function startDockerRegistry(directory: string): Promise<Daemon | undefined> {
  const program = findProgram('docker-registry');
  if (program === undefined) return undefined;
  const port = await freePort();
  const configuration = join(directory, 'docker-registry.yml');
  writeFileSync(
    configuration,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${directory}/docker-registry}}
http: {addr: '127.0.0.1:${port}', secret: bench}
`,
  );
  return startDaemon(program, ['serve', configuration], {
    port,
    readyPath: '/v2/',
    directory,
    logPath: join(directory, 'docker-registry.log'),
  });
}

/** Makes ready to push a blob: its digest, which the protocol wants to know, is not part of what is measured. */
export function blobDigest(content: Content): string {
  const hash = createHash('sha256');
  for (const piece of content.pieces()) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

/** Pushes a blob as its clients do: open an upload, stream the whole body in one PATCH, close it with the digest. */
export async function pushBlob(registry: Daemon, content: Content, digest: string): Promise<void> {
  const nothing = { size: 0, pieces: () => [] };
  const opened = await upload('POST', `${registry.url}/v2/bench/blobs/uploads/`, {}, nothing);
  const patched = await upload('PATCH', location(opened.headers), { 'content-type': 'application/octet-stream' }, content);
  const target = new URL(location(patched.headers));
  target.searchParams.set('digest', digest);
  await upload('PUT', target.href, {}, nothing);
}

function location(headers: Readonly<Record<string, unknown>>): string {
  return String(headers.location);
}
