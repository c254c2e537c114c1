import type { connect } from './cli/connect.ts';
import type { Surroundings } from './cli/context.ts';
import { run } from './cli/run.ts';
import { standardStream } from './cli/terminal/file-stream.ts';
import type { createProgress } from './cli/terminal/progress.ts';
import type { CommandTable } from './command.ts';
import { keepMemoryPrivate } from './runtime/private-memory.ts';
import type { stopOnSignal } from './runtime/stop-signals.ts';
import { version } from './version.ts';

/** What of a command's surroundings is its process's. */
export type ProcessSurroundings = Pick<Surroundings, 'environment' | 'directory' | 'stdin' | 'stdout' | 'stderr'>;

/**
 * Runs one command and resolves to its exit code. The parts are loaded when a command asks for them. Runs in this
 * process's surroundings or in those it is given; signals, and the log of `serve` and `dev`, are the process's in any
 * case.
 */
export async function main(argv: readonly string[], given?: ProcessSurroundings): Promise<number> {
  // Where it runs in others, the process is theirs.
  if (given === undefined) keepMemoryPrivate();
  const surroundings = {
    version,
    ...(given ?? ownSurroundings()),
    // Only a server gives addresses to senders, and says so.
    openStore: async (config, options) =>
      (await import('./compose/open-store.ts')).openStore(config, { givesAddresses: false, ...options }),
    checkBackup: async (directory, options) => (await import('./compose/restore-store.ts')).checkBackupIn(directory, options),
    restore: async (config, directory, options) => (await import('./compose/restore-store.ts')).restoreStore(config, directory, options),
    checkConfig: async (config) => (await import('./compose/check-config.ts')).checkConfig(config),
    certify: async (config, options) => (await import('./compose/certify-s3.ts')).certifyS3(config, options),
    provider: async () => (await import('./compose/open-provider.ts')).providerCommands,
    store: async () => (await import('./compose/store-commands.ts')).storeCommands,
  } satisfies Parameters<typeof run>[1];
  return await run(argv, surroundings, (await loadPilot()).commands(loadPilotTools));
}

function ownSurroundings(): ProcessSurroundings {
  const { env, stdin, stdout, stderr } = process;
  return { environment: env, directory: process.cwd(), stdin, stdout: standardStream(stdout, 1), stderr: standardStream(stderr, 2) };
}

/** The pilot's door: commands beside the core's own, of a user that sees the public package only. */
export interface Pilot {
  commands(load: () => Promise<PilotTools>): CommandTable;
}

/** What the pilot can't import by name: a clone has no compiled package. */
export interface PilotTools {
  readonly library: typeof import('./index.ts');
  readonly connect: typeof connect;
  readonly createProgress: typeof createProgress;
  readonly stopOnSignal: typeof stopOnSignal;
}

/** Beside src/ in a clone, in dist/ in the published package. */
async function loadPilot(): Promise<Pilot> {
  const place = import.meta.url.endsWith('.ts') ? '../pilot/commands.ts' : './pilot/commands.js';
  return (await import(new URL(place, import.meta.url).href)) as Pilot;
}

async function loadPilotTools(): Promise<PilotTools> {
  const [library, { connect }, { createProgress }, { stopOnSignal }] = await Promise.all([
    import('./index.ts'),
    import('./cli/connect.ts'),
    import('./cli/terminal/progress.ts'),
    import('./runtime/stop-signals.ts'),
  ]);
  return { library, connect, createProgress, stopOnSignal };
}
