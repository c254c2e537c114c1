import { apiBase } from '../router.ts';

/** An upload that was begun from this browser and is not a file yet: what is needed to continue it after a reload. */
export interface Begun {
  readonly package_id: string;
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly upload_id: string;
  /** Who began it: the server has it for nobody else. */
  readonly actor: string;
  /** RFC 3339. */
  readonly begun_at: string;
}

type Stored = Begun & { readonly api: string };

/** Longer than a server keeps an upload of which nothing comes, where nobody has set another time. */
const keptMilliseconds = 8 * 86_400_000;

/**
 * In IndexedDB, so that it outlives the tab. Where a browser keeps nothing, as in some private windows, an upload is
 * continued for as long as the page is there.
 */
let opened: Promise<IDBDatabase | undefined> | undefined;

function database(): Promise<IDBDatabase | undefined> {
  opened ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open('artifactstore-console', 1);
      request.addEventListener('upgradeneeded', () => {
        request.result.createObjectStore('uploads', { keyPath: ['api', 'package_id', 'relative_path'] });
      });
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => resolve(undefined));
      request.addEventListener('blocked', () => resolve(undefined));
    } catch {
      resolve(undefined);
    }
  });
  return opened;
}

export async function rememberBegun(begun: Begun): Promise<void> {
  await onStore('readwrite', (store) => store.put({ ...begun, api: apiBase.href } satisfies Stored));
}

export async function forgetBegun(packageId: string, path: string): Promise<void> {
  await onStore('readwrite', (store) => store.delete([apiBase.href, packageId, path]));
}

/** Those of a package that this person began, and that a server can still have. */
export async function begunOf(packageId: string, actor: string): Promise<readonly Begun[]> {
  const range = IDBKeyRange.bound([apiBase.href, packageId], [apiBase.href, packageId, []]);
  const all = (await onStore<readonly Stored[]>('readonly', (store) => store.getAll(range))) ?? [];
  const old = all.filter(({ begun_at }) => Date.now() - Date.parse(begun_at) > keptMilliseconds);
  for (const each of old) await forgetBegun(packageId, each.relative_path);
  return all.filter((each) => each.actor === actor && !old.includes(each));
}

async function onStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
  const db = await database();
  if (db === undefined) return undefined;
  return await new Promise((resolve) => {
    try {
      const transaction = db.transaction('uploads', mode);
      const request = ask(transaction.objectStore('uploads'));
      transaction.addEventListener('complete', () => resolve(request.result as T));
      transaction.addEventListener('error', () => resolve(undefined));
      transaction.addEventListener('abort', () => resolve(undefined));
    } catch {
      resolve(undefined);
    }
  });
}
