import type { Bounds } from '../kernel/bound.ts';

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
  /** Requests of one principal that are being answered; 0 for any number. */
  readonly requestsOfOne: number;
  /** Of these, uploads, event streams and readers that wait for events; 0 for any number. */
  readonly streamsOfOne: number;
  /** Memory for bodies that are read whole, of all requests together. One principal has at most half of it. */
  readonly bufferedBytes: number;
  /** How long a request waits for a share of `bufferedBytes`. */
  readonly bufferedWait: number;
  /**
   * Values of one JSON body: each takes many times the memory of its text, and time in which the process does nothing
   * else.
   */
  readonly jsonValues: number;
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
  /**
   * The least that a sender must send of a body on average while it is waited for, over each `idleTimeout`; 0 for none.
   */
  readonly uploadBytesPerSecond: number;
  /** From the first to the last byte of a JSON body. */
  readonly jsonTimeout: number;
  /** How long an idle connection is kept for the next request. */
  readonly keepAliveTimeout: number;
  /** How long requests in flight may continue when the server is stopped. */
  readonly graceTimeout: number;
  /** Between the comments that keep an idle event stream alive. */
  readonly heartbeat: number;
}

export const defaultLimits: Limits = {
  headerBytes: 32_768,
  jsonBytes: 1_048_576,
  largeJsonBytes: 4_194_304,
  filesPerRequest: 1_000,
  connections: 1_000,
  requestsOfOne: 256,
  streamsOfOne: 128,
  bufferedBytes: 67_108_864,
  bufferedWait: 10_000,
  jsonValues: 100_000,
  waitingRequests: 256,
  unsentBytes: 33_554_432,
  headersTimeout: 60_000,
  headersCheckInterval: 15_000,
  idleTimeout: 120_000,
  uploadBytesPerSecond: 0,
  jsonTimeout: 60_000,
  keepAliveTimeout: 75_000,
  graceTimeout: 30_000,
  heartbeat: 15_000,
};

/** Of the head of one part of a multipart body. */
export const partHeadBytes = 8_192;
/** Of a long name or a pax header of a tar archive. */
export const tarHeaderBytes = 65_536;

/** The longest `manifest.json` of an archive that is read. */
export function manifestBytes({ bufferedBytes }: Pick<Limits, 'bufferedBytes'>): number {
  return Math.floor(bufferedBytes / 16);
}

/** Of all sealed manifests of many files that are being answered from. */
export const manifestsBytes = 100_663_296;

const seconds = (milliseconds: number): number => milliseconds / 1000;

export type HttpBound =
  | 'connections'
  | 'requests_of_one'
  | 'streams_of_one'
  | 'waiting_requests'
  | 'header_bytes'
  | 'json_bytes'
  | 'large_json_bytes'
  | 'json_values'
  | 'buffered_bytes'
  | 'manifest_bytes'
  | 'manifests_bytes'
  | 'files_per_request'
  | 'part_head_bytes'
  | 'tar_header_bytes'
  | 'headers_timeout'
  | 'idle_timeout'
  | 'json_timeout'
  | 'upload_bytes_per_second'
  | 'unread_answer'
  | 'unsent_bytes'
  | 'grace_timeout';

/** What is refused, ended or waited for, by name. */
export const httpBounds: Bounds<HttpBound> = {
  connections: {
    value: defaultLimits.connections,
    unit: '',
    variable: 'ARTIFACTSTORE_MAX_CONNECTIONS',
    answer: 'too_busy',
    what: 'connections at a time; 0 is as many as the system gives',
  },
  requests_of_one: {
    value: defaultLimits.requestsOfOne,
    unit: '',
    variable: 'ARTIFACTSTORE_MAX_REQUESTS_PER_CALLER',
    answer: 'too_busy',
    what: 'requests of one caller that are being answered; 0 is any number',
  },
  streams_of_one: {
    value: defaultLimits.streamsOfOne,
    unit: '',
    variable: 'ARTIFACTSTORE_MAX_STREAMS_PER_CALLER',
    answer: 'too_busy',
    what: 'of these, open uploads, event streams and readers that wait for events; 0 is any number',
  },
  waiting_requests: {
    value: defaultLimits.waitingRequests,
    unit: '',
    answer: 'reset',
    what: 'requests that a connection sends ahead of its answers',
  },
  header_bytes: { value: defaultLimits.headerBytes, unit: 'bytes', answer: 'headers_too_large', what: 'the headers of a request' },
  json_bytes: { value: defaultLimits.jsonBytes, unit: 'bytes', answer: 'body_too_large', what: 'a JSON body' },
  large_json_bytes: {
    value: defaultLimits.largeJsonBytes,
    unit: 'bytes',
    answer: 'body_too_large',
    what: 'a JSON body of attachments or of a metadata schema',
  },
  json_values: { value: defaultLimits.jsonValues, unit: '', answer: 'body_too_large', what: 'values in a JSON body' },
  buffered_bytes: {
    value: defaultLimits.bufferedBytes,
    unit: 'bytes',
    variable: 'ARTIFACTSTORE_MAX_BUFFERED_BYTES',
    answer: 'too_busy',
    what: 'memory for bodies that are read whole, waited for up to 10 seconds; one caller has half of it',
  },
  manifest_bytes: {
    value: manifestBytes(defaultLimits),
    unit: 'bytes',
    variable: 'ARTIFACTSTORE_MAX_BUFFERED_BYTES',
    answer: 'body_too_large',
    what: 'the manifest.json of a tar archive; a sixteenth of that memory',
  },
  manifests_bytes: {
    value: manifestsBytes,
    unit: 'bytes',
    answer: 'too_busy',
    what: 'manifests of more than 200 files, of which answers are made, waited for up to 10 seconds; one caller has half of it',
  },
  files_per_request: {
    value: defaultLimits.filesPerRequest,
    unit: '',
    variable: 'ARTIFACTSTORE_MAX_FILES_PER_REQUEST',
    answer: 'too_many_files',
    what: 'files of one multipart body or tar archive',
  },
  part_head_bytes: { value: partHeadBytes, unit: 'bytes', answer: 'malformed_multipart', what: 'the head of a part of a multipart body' },
  tar_header_bytes: {
    value: tarHeaderBytes,
    unit: 'bytes',
    answer: 'malformed_archive',
    what: 'a long name or pax header of a tar archive',
  },
  headers_timeout: {
    value: seconds(defaultLimits.headersTimeout),
    unit: 'seconds',
    answer: 'request_timeout',
    what: 'from the first byte of a request to the end of its headers',
  },
  idle_timeout: {
    value: seconds(defaultLimits.idleTimeout),
    unit: 'seconds',
    answer: 'request_timeout',
    what: 'silence within a body',
  },
  json_timeout: {
    value: seconds(defaultLimits.jsonTimeout),
    unit: 'seconds',
    answer: 'request_timeout',
    what: 'from the first to the last byte of a JSON body',
  },
  upload_bytes_per_second: {
    value: defaultLimits.uploadBytesPerSecond,
    unit: 'bytes',
    variable: 'ARTIFACTSTORE_MIN_UPLOAD_BYTES_PER_SECOND',
    answer: 'request_timeout',
    what: 'the least that an upload sends in a second, on average over idle_timeout; 0 is any rate',
  },
  unread_answer: {
    value: seconds(defaultLimits.idleTimeout),
    unit: 'seconds',
    answer: 'reset',
    what: 'an answer of which nothing is read',
  },
  unsent_bytes: {
    value: defaultLimits.unsentBytes,
    unit: 'bytes',
    answer: 'reset',
    what: 'what all answers hold for readers that are behind; those that have waited longest go',
  },
  grace_timeout: {
    value: seconds(defaultLimits.graceTimeout),
    unit: 'seconds',
    variable: 'ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS',
    answer: 'reset',
    what: 'requests under way when the server stops',
  },
};
