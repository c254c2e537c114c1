import type { RestoreTarget } from './fill.ts';
import type { DatabaseTarget } from './target.ts';

export type { LogSource, RestoreTarget } from './fill.ts';

export async function restoreTarget(target: DatabaseTarget): Promise<RestoreTarget> {
  switch (target.kind) {
    case 'sqlite':
      return (await import('./sqlite/restore.ts')).sqliteTarget(target.path);
    case 'postgresql':
      return (await import('./postgres/restore.ts')).postgresTarget(target.url);
  }
}
