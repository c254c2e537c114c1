import { parseRelativePath, pathToUrl } from '../kernel/content/path.ts';
import { checkIdempotencyKey } from '../kernel/format/idempotency-key.ts';
import { parseId } from '../kernel/id.ts';
import type { CommittedSession, SessionObject, WriteSession, WriteSessions } from '../registry/REGISTRY.ts';
import { sendable } from './wire/body.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './wire/request.ts';
import { committedShape, sessionObjectShape, uploadShape, writeSessionShape, writeSessionsShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

/** Write sessions over HTTP. The addresses in their records are whole ones, below that of the server (`url`). */
export function remoteWriteSessions(transport: Transport, url: string): WriteSessions {
  const at = (id: string) => `/write-sessions/${parseId(id, 'id')}`;
  const whole = (address: string): string => new URL(address, url).href;

  function resolvedObject(object: SessionObject): SessionObject {
    return {
      ...object,
      ...(object.handle === undefined ? {} : { handle: { ...object.handle, url: whole(object.handle.url) } }),
      ...(object.url === undefined ? {} : { url: whole(object.url) }),
    };
  }
  const resolved = (session: WriteSession): WriteSession => ({ ...session, objects: session.objects.map(resolvedObject) });

  function resolvedCommit(committed: CommittedSession): CommittedSession {
    const objects = Object.entries(committed.objects).map(
      ([name, object]) => [name, object.url === undefined ? object : { ...object, url: whole(object.url) }] as const,
    );
    return { ...committed, objects: Object.fromEntries(objects) };
  }

  return {
    async open(input, { idempotencyKey }) {
      const more = { repeatable: true, headers: { 'idempotency-key': checkIdempotencyKey(idempotencyKey) } };
      const opened = await transport.exchange(jsonRequest('POST', '/write-sessions', input, more), created(writeSessionShape));
      return { ...opened, record: resolved(opened.record) };
    },

    async status(id) {
      const session = await lookUp(getJson(transport, at(id), writeSessionShape), 'write_session_not_found');
      return session === undefined ? undefined : resolved(session);
    },

    list: (query = {}) => getJson(transport, `/write-sessions${queryText({ ...query })}`, writeSessionsShape),

    async put(id, name, body, { size_bytes, signal } = {}) {
      const path = `${at(id)}/objects/${pathToUrl(parseRelativePath(name, 'name'))}`;
      const headers = { 'content-type': 'application/octet-stream' };
      const sent = { method: 'PUT', path, headers, body: await sendable(body, size_bytes), repeatable: true, signal } as const;
      return await transport.exchange(sent, (answer) => answer.json(sessionObjectShape));
    },

    async beginUpload(id, name) {
      const body = { name: parseRelativePath(name, 'name') };
      return await transport.exchange(jsonRequest('POST', `${at(id)}/uploads`, body, { repeatable: true }), created(uploadShape));
    },

    async commit(id) {
      const request = jsonRequest('POST', `${at(id)}/commit`, undefined, { repeatable: true });
      return resolvedCommit(await transport.exchange(request, (answer) => answer.json(committedShape)));
    },

    async abort(id) {
      await transport.exchange({ method: 'DELETE', path: at(id), repeatable: true }, async (answer) => {
        if (answer.status !== 204) throw await answer.unexpected('artifactstore would have answered with 204');
      });
    },
  };
}
