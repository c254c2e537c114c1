import type * as artifactstore from 'artifactstore';
import type { CommandContext, RemoteRegistry } from 'artifactstore';

export type Library = typeof artifactstore;

/** What a pilot is given, since in a clone the package can't be imported by its name. */
export interface Tools {
  readonly library: Library;
  connect(context: CommandContext, options?: { readonly patienceSeconds?: number }): RemoteRegistry;
  createProgress(output: CommandContext['output'], label: string, total: number): Promise<Progress>;
  /** Ctrl-C and SIGTERM as a signal. */
  stopOnSignal(): Disposable & { readonly signal: AbortSignal };
}

export interface Progress {
  advance(bytes: number): void;
  stop(): void;
}

/** One command's work on one server. */
export interface Work {
  readonly tools: Tools;
  readonly context: CommandContext;
  readonly registry: RemoteRegistry;
  readonly signal: AbortSignal;
}

/** How long a server may be unavailable in the middle of it. */
const patienceSeconds = 60;

/** Connects, works, and disconnects whatever happens. */
export async function withRegistry<T>(tools: Tools, context: CommandContext, work: (work: Work) => Promise<T>): Promise<T> {
  using stop = tools.stopOnSignal();
  await using registry = tools.connect(context, { patienceSeconds });
  return await work({ tools, context, registry, signal: stop.signal });
}
