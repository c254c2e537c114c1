// What write sessions take and answer: a set of files that is handed over step by step and becomes one package.

/** An object as it is announced. Nothing else will be taken under its name. */
export interface NewSessionObject {
  /** A relative path: the file's in the package. */
  readonly name: string;
  /** Lowercase hex. */
  readonly sha256: string;
  readonly size_bytes: number;
  /** `application/octet-stream` where absent. */
  readonly media_type?: string;
}

export interface NewWriteSession {
  /** What the producer uses the session for, such as `deployment_artifacts`: part of its idempotency key. */
  readonly scope: string;
  readonly producer: string;
  readonly subject: string;
  /** The name of the package. */
  readonly namespace: string;
  readonly retention_class: string;
  readonly objects: readonly NewSessionObject[];
  /** From now on, 60 to 604,800 where nothing else is set. */
  readonly ttl_seconds: number;
}

/**
 * `open` takes objects. `committing`: its package is being made, and a commit continues it. The others are its end:
 * `committed` is a package, `aborted` and `expired` are nothing any more.
 */
export type WriteSessionState = 'open' | 'committing' | 'committed' | 'aborted' | 'expired';

/**
 * `present`: the registry has the bytes, where whoever opened the session may read them; nothing is sent. `put`: they
 * are to be sent. `received`: they came, and are what was announced; of those that went to the store the commit
 * finds it out.
 */
export type SessionObjectState = 'present' | 'put' | 'received';

/** How the bytes of an object are sent. */
export interface WriteHandle {
  readonly method: 'PUT';
  /** A path of this server, or an address. */
  readonly url: string;
  /** What the sender must send with the bytes. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expires_at: string;
}

export interface SessionObject {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
  readonly media_type: string;
  readonly state: SessionObjectState;
  /** The upload that was begun for bytes that are to be sent, where there was one; it may have ended. */
  readonly upload_id?: string;
  /** For bytes that are to be sent, as a door tells it; absent in process. */
  readonly handle?: WriteHandle;
  /** Where anybody who may read them reads the bytes, once committed, as a door tells it; absent in process. */
  readonly url?: string;
}

export interface WriteSession {
  readonly id: string;
  readonly state: WriteSessionState;
  /** Why it has this state; null while it is open for the first time. */
  readonly reason: string | null;
  readonly scope: string;
  readonly producer: string;
  readonly subject: string;
  readonly namespace: string;
  readonly retention_class: string;
  readonly created_at: string;
  /** The actor that opened it. */
  readonly created_by: string;
  readonly expires_at: string;
  /** Once it is being committed. */
  readonly package_id: string | null;
  /** Once it is committed. */
  readonly manifest_digest: string | null;
  readonly object_count: number;
  readonly total_bytes: number;
  /** By name, bytewise; none of a session that was aborted or has expired. */
  readonly objects: readonly SessionObject[];
}

/** As a list has it: without its objects. */
export type ListedWriteSession = Omit<WriteSession, 'objects'>;

export interface PutOptions {
  /** The length of the body, where it is known: another than was announced is refused before the first byte. */
  readonly size_bytes?: number;
  readonly signal?: AbortSignal;
}

export interface CommittedSession {
  readonly package_id: string;
  readonly manifest_digest: string;
  /** By name. */
  readonly objects: Readonly<Record<string, CommittedObject>>;
}

/** `url` as in `SessionObject`. */
export type CommittedObject = Pick<SessionObject, 'url' | 'sha256' | 'size_bytes'>;

/**
 * What is wrong with an object that a commit needs: its bytes never came (`missing`), the registry had them and has
 * them no more (`gone`), or what came can't be read as what it was (`damaged`).
 */
export interface ObjectProblem {
  readonly name: string;
  readonly problem: 'missing' | 'gone' | 'damaged';
}
