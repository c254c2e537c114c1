import { commaSeparated } from './comma-separated.ts';

/** Where a package's files go. `producer` and `retentionClass` may be `*`. */
export interface StorageRoute {
  readonly producer: string;
  readonly retentionClass: string;
  readonly backendId: string;
}

/**
 * `producer:retention_class=backend_id`, separated by commas. A producer's name may hold colons: the last one
 * separates.
 */
export function parseRoutes(text: string, backendIds: readonly string[]): readonly StorageRoute[] {
  return commaSeparated(text).map((rule) => {
    const match = /^(.+):([^:=]+)=([^=]+)$/s.exec(rule);
    if (match === null) throw new Error(`"${rule}" does not look like producer:retention_class=backend_id`);
    const [, producer = '', retentionClass = '', backendId = ''] = match.map((part) => part.trim());
    if (!backendIds.includes(backendId))
      throw new Error(`"${rule}" names the backend "${backendId}", which is not one of ${backendIds.join(', ')}`);
    return { producer, retentionClass, backendId };
  });
}
