import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { writeGuideBoardRun } from './guide-board-run.ts';

/**
 * `npm start`: the main job once, by the real command line, on embedded defaults below the working directory. A server
 * is started, a made-up run of guide-board kept, sealed and verified. On a terminal the server then stays until Ctrl-C;
 * elsewhere everything ends.
 */
const entry = fileURLToPath(new URL('../bin/artifactstore.js', import.meta.url));
const sample = join('var', 'runs', 'run-20260513T210255Z');

const server = (await startServer([])) ?? (await startServer(['--port', '0']));
if (server === undefined) {
  console.error('The server did not start; its message is above.');
  process.exit(1);
}
process.env.ARTIFACTSTORE_API_URL = server.url;
// Nobody must hear of a run that is invented.
delete process.env.STATE_HUB_URL;
const ended = once(server.process, 'exit');
try {
  say(`A server is up at ${server.url}, its data in ./var, its token in ${server.tokenFile}.`);
  const files = writeGuideBoardRun(sample);
  say(
    `A sample is at ./${sample}, shaped like a run of guide-board: ${files} ` +
      'files of evidence, raw outputs and reports. Keeping it as a sealed package:',
  );
  const kept = JSON.parse(await run('guide-board', 'ingest', sample)) as { readonly package_id: string };
  say('Checking every byte of it:');
  await run('verify', kept.package_id);
  say('What the registry has:');
  await run('packages', 'list', '--limit', '5');
  const there = process.stdin.isTTY === true;
  say(there ? 'Everything works. Try next, in another terminal:' : 'Everything works. Try next:');
  if (!there) console.log('  npx artifactstore dev');
  if (there && server.url !== 'http://127.0.0.1:8000') console.log(`  export ARTIFACTSTORE_API_URL=${server.url}`);
  console.log('  npx artifactstore push ./a-directory-of-yours');
  console.log(`  npx artifactstore pull ${kept.package_id} ./pulled`);
  if (there) {
    console.log(`\nThe documentation of the HTTP API: ${server.url}/docs. Ctrl-C ends the server; what it keeps stays.`);
    // Ctrl-C at a terminal reaches the server too; this process waits for it.
    process.on('SIGINT', () => undefined);
    await ended;
  }
} finally {
  if (server.process.exitCode === null && server.process.signalCode === null) server.process.kill('SIGTERM');
  await ended;
}

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly tokenFile: string;
}

/** Undefined when it ends before it listens: the port may be taken. */
async function startServer(more: readonly string[]): Promise<Running | undefined> {
  const last = more.length > 0;
  const child = spawn(process.execPath, [entry, 'dev', '--json', ...more], { stdio: ['ignore', 'pipe', last ? 'inherit' : 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, token_file: tokenFile } = JSON.parse(line) as { readonly url: string; readonly token_file: string };
    return { process: child, url, tokenFile };
  }
  return undefined;
}

/** Shows the command and what it prints; answers that. */
async function run(...args: readonly string[]): Promise<string> {
  console.log(`  $ npx artifactstore ${args.join(' ')}`);
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(`  ${line}`);
    lines.push(line);
  }
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`artifactstore ${args[0]} ended with exit code ${code}.`);
  return lines.join('\n');
}

function say(text: string): void {
  console.log(`\n${text}`);
}
