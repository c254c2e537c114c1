import type { WhoAmI } from '../kernel/access.ts';
import { parseId } from '../kernel/id.ts';
import type { File, Registry } from '../registry/REGISTRY.ts';
import { download, downloadUnchecked } from './download.ts';
import { type DownloadMany, manyDownloads } from './download-many.ts';
import { remoteEvents } from './events.ts';
import { remoteFiles } from './files.ts';
import { remoteMetadataSchemas } from './metadata-schemas.ts';
import { remotePackages } from './packages.ts';
import { remoteProducers } from './producers.ts';
import { type AddResumable, resumableUploads, type SendUpload } from './resumable.ts';
import { remoteHealth, remoteRetention } from './retention.ts';
import { getJson } from './wire/request.ts';
import { usageShape, whoAmIShape } from './wire/shape.ts';
import { createStorePut, type StorePut } from './wire/store-put.ts';
import { createTransport, type TransportOptions } from './wire/transport.ts';
import { remoteWriteSessions } from './write-sessions.ts';

export type { ReopenableBody } from './wire/body.ts';
export { bytesBody, reopenable } from './wire/body.ts';

export type ConnectOptions = TransportOptions;

/** The registry of a server, over HTTP. */
export interface RemoteRegistry extends Registry, AsyncDisposable {
  /**
   * A file's bytes whole, when its record is known already, from a manifest for one; checked while they are read, but
   * where `unchecked` says that their reader does it.
   */
  download(
    file: Pick<File, 'id' | 'size_bytes' | 'content_address'>,
    signal?: AbortSignal,
    options?: { readonly unchecked?: boolean },
  ): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Bytes of files of a sealed package, whole, in one answer; of which only the lengths are checked. Undefined where
   * they are better asked for one by one: the server is too old, or something is wrong with one of them.
   */
  readonly downloadMany: DownloadMany;
  /** Adds a large file so that it can be continued after every break. */
  readonly addResumable: AddResumable;
  /** Sends the rest of an upload that was begun, after every break from where it is. */
  readonly sendUpload: SendUpload;
  /** Writes objects of write sessions to the server's store, where their handles are addresses of it. */
  readonly storePut: StorePut;
  /** Whom the server takes this client for, by its token, and what that may do. */
  whoami(): Promise<WhoAmI>;
  /** Ends the connections; requests under way fail. `await using` does it too. */
  close(): Promise<void>;
}

/**
 * Connects to a server; nothing is sent before the first call. Requests that can be repeated are, while the server is
 * unavailable for a moment. Uploads can when their body is a `ReopenableBody` or is short; downloads resume where they
 * broke off, and are checked against length and digest while they are read.
 */
export function connectRegistry(options: ConnectOptions): RemoteRegistry {
  const transport = createTransport(options);
  const uploads = resumableUploads(transport, options.url);
  const storePut = createStorePut(options.url, options.connections);
  const close = async (): Promise<void> => {
    await storePut.close();
    await transport.close();
  };
  return {
    packages: remotePackages(transport),
    files: remoteFiles(transport),
    events: remoteEvents(transport),
    metadataSchemas: remoteMetadataSchemas(transport),
    retention: remoteRetention(transport),
    producers: remoteProducers(transport),
    writeSessions: remoteWriteSessions(transport, options.url),
    health: () => remoteHealth(transport),
    usage: () => getJson(transport, '/usage', usageShape),
    async download(file, signal, { unchecked = false } = {}) {
      const path = `/files/${parseId(file.id, 'file_id')}/download`;
      return await (unchecked ? downloadUnchecked : download)(transport, path, file, signal);
    },
    downloadMany: manyDownloads(transport),
    addResumable: uploads.add,
    sendUpload: uploads.send,
    storePut,
    whoami: () => getJson(transport, '/whoami', whoAmIShape),
    close,
    [Symbol.asyncDispose]: close,
  };
}
