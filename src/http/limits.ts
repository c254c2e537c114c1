/** How much of anything the server takes, and for how long it waits. Sizes in bytes, times in milliseconds. */
export interface Limits {
  readonly headerBytes: number;
  readonly jsonBytes: number;
  /** For bodies that are long by nature: attachments and metadata schemas. */
  readonly largeJsonBytes: number;
  /** Files of one multipart body or tar archive: they are added in one transaction, for which others wait. */
  readonly filesPerRequest: number;
  /** Connections at a time; 0 for as many as the system gives. */
  readonly connections: number;
  /** Requests that a connection may send ahead of the answer to the one before. */
  readonly waitingRequests: number;
  /** What all answers together may hold in memory for readers that have not taken it. */
  readonly unsentBytes: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeout: number;
  /** How often connections are looked over for `headersTimeout`. */
  readonly headersCheckInterval: number;
  /** The longest silence within a body that is sent, or within an answer that is not read. */
  readonly idleTimeout: number;
  /** The least that a sender must send of a body on average while it is waited for, over each `idleTimeout`; 0 for none. */
  readonly uploadBytesPerSecond: number;
  /** From the first to the last byte of a JSON body. */
  readonly jsonTimeout: number;
  /** How long an idle connection is kept for the next request. */
  readonly keepAliveTimeout: number;
  /** How long requests in flight may go on when the server is stopped. */
  readonly graceTimeout: number;
  /** Between the comments that keep an idle event stream alive. */
  readonly heartbeat: number;
}

/** The limits that are counted when they end something without an answer of the route's own. */
export const limitNames = [
  'connections',
  'files_per_request',
  'waiting_of_one',
  'waiting_requests',
  'unread_answer',
  'unsent_bytes',
] as const;
export type LimitName = (typeof limitNames)[number];

export const defaultLimits: Limits = {
  headerBytes: 32_768,
  jsonBytes: 1_048_576,
  largeJsonBytes: 8_388_608,
  filesPerRequest: 1_000,
  connections: 1_000,
  waitingRequests: 256,
  unsentBytes: 134_217_728,
  headersTimeout: 60_000,
  headersCheckInterval: 15_000,
  idleTimeout: 120_000,
  uploadBytesPerSecond: 0,
  jsonTimeout: 60_000,
  keepAliveTimeout: 75_000,
  graceTimeout: 30_000,
  heartbeat: 15_000,
};
