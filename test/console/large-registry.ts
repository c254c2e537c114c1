import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { writeHistory } from '../../bench/history.ts';
import { databasePath, runArtifactstore, startArtifactstore } from '../../bench/server.ts';
import { type Console, openConsole } from './open-console.ts';

/** Of a registry that has been in use for a year, with a file in each. */
export const packages: number = Number(process.env.ARTIFACTSTORE_TEST_CONSOLE_PACKAGES ?? 100_000);

/** A directory that such a registry was made in before: that of a million takes minutes. It stays there. */
const finished = process.env.ARTIFACTSTORE_TEST_CONSOLE_STORE;

export interface LargeRegistry extends AsyncDisposable {
  readonly view: Console;
  /** Processor time of the server and its threads so far, in milliseconds. */
  serverMilliseconds(): number;
}

/** A console before it, which anybody may read. */
export async function openLargeRegistry(): Promise<LargeRegistry> {
  const directory = finished ?? mkdtempSync(join(tmpdir(), 'artifactstore-many-'));
  if (finished === undefined) await makeRegistry(directory);
  const view = await openConsole({
    anonymousRead: true,
    environment: {
      ARTIFACTSTORE_DATABASE_URL: `sqlite:${databasePath(directory)}`,
      ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(directory, 'storage'),
    },
  });
  return {
    view,
    serverMilliseconds() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]();
      if (finished === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function makeRegistry(directory: string): Promise<void> {
  // A store whose log knows of objects before it has its marker is in doubt.
  await (await startArtifactstore(directory))[Symbol.asyncDispose]();
  writeHistory(databasePath(directory), packages, { filesPerPackage: 1 });
  await runArtifactstore(directory, ['replay']);
}
