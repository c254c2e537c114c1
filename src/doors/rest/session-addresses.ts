import { pathToUrl, type RelativePath } from '../../kernel/content/path.ts';
import type { CommittedSession, SessionObject, WriteSession } from '../../registry/REGISTRY.ts';

/** Where the bytes of an object are read for as long as a package has them. */
export function readAddress(prefix: string, name: string, sha256: string): string {
  return `${prefix}/objects/sha256:${sha256}/${encodeURIComponent(name.slice(name.lastIndexOf('/') + 1))}`;
}

/** With what its sender needs: a handle for each object that is to be sent, an address for what is a file. */
export function withAddresses(prefix: string, session: WriteSession): WriteSession {
  const { id, state, expires_at } = session;
  const told = (object: SessionObject): SessionObject => {
    if (state === 'committed') return { ...object, url: readAddress(prefix, object.name, object.sha256) };
    if (state !== 'open' || object.state !== 'put' || object.handle !== undefined) return object;
    const url = `${prefix}/write-sessions/${id}/objects/${pathToUrl(object.name as RelativePath)}`;
    return { ...object, handle: { method: 'PUT', url, headers: { 'content-length': String(object.size_bytes) }, expires_at } };
  };
  return { ...session, objects: session.objects.map(told) };
}

export function withReadAddresses(prefix: string, committed: CommittedSession): CommittedSession {
  const objects = Object.entries(committed.objects).map(
    ([name, object]) => [name, { url: readAddress(prefix, name, object.sha256), ...object }] as const,
  );
  return { ...committed, objects: Object.fromEntries(objects) };
}
