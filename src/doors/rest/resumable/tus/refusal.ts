import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../../../../kernel/error.ts';
import { tusVersion } from '../../../../protocol/tus.ts';
import type { Problem } from '../../problem.ts';

export function speaksTus({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['tus-resumable'] !== undefined;
}

/** What does not change by asking again. tus clients ask again after 409. */
const lasting: ReadonlySet<ErrorCode> = new Set(['path_conflict', 'package_not_open', 'upload_finished', 'file_not_found']);

/**
 * The status of a problem for a client that speaks tus. 460 is the protocol's own. Clients repeat a request after 409
 * and 423; any other refusal of their HEAD lets them begin the upload again from its first byte, so that a state of
 * the server that passes is 423 there.
 */
export function tusStatus({ code, status, info }: Problem, method: string): number {
  if (code === 'digest_mismatch' || code === 'block_digest_mismatch') return 460;
  if (code === 'upload_not_found' && info?.state !== undefined) return 410;
  if (status === 409 && lasting.has(code)) return 422;
  return method === 'HEAD' && status >= 500 ? 423 : status;
}

export function tusHeaders({ status }: Problem): Readonly<Record<string, string>> {
  return { 'tus-resumable': tusVersion, ...(status === 412 ? { 'tus-version': tusVersion } : {}) };
}
