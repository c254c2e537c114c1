import { refuse } from './refusal.ts';
import type { Version } from './state.ts';

type Headers = Readonly<Record<string, string>>;

/** Whether a write may take place, by what the key shows now. */
export function checkWrite(headers: Headers, now: Version | undefined): void {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') throw refuse('NotImplemented', { Header: 'If-None-Match' });
    if (now !== undefined) throw refuse('PreconditionFailed', { Condition: 'If-None-Match' });
  }
  if (match === undefined) return;
  if (now === undefined) throw refuse('NoSuchKey');
  if (!names(match, now)) throw refuse('PreconditionFailed', { Condition: 'If-Match' });
}

/** Whether a read is answered: undefined, or 304 where the reader has it already. */
export function checkRead(headers: Headers, version: Version, prefix = ''): 304 | undefined {
  const match = headers[`${prefix}if-match`];
  const noneMatch = headers[`${prefix}if-none-match`];
  const since = Date.parse(headers[`${prefix}if-modified-since`] ?? '');
  const unmodified = Date.parse(headers[`${prefix}if-unmodified-since`] ?? '');
  const modified = Math.floor(version.modifiedAt / 1000) * 1000;
  if (match !== undefined && !names(match, version)) throw refuse('PreconditionFailed', { Condition: 'If-Match' });
  if (match === undefined && modified > unmodified) throw refuse('PreconditionFailed', { Condition: 'If-Unmodified-Since' });
  if (noneMatch !== undefined) return names(noneMatch, version) ? 304 : undefined;
  return modified <= since ? 304 : undefined;
}

export interface Range {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** The bytes that a Range header asks for; undefined for all, as for a header that is none of its three forms. */
export function rangeOf(header: string | undefined, size: number): Range | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (found === null || (found[1] === '' && found[2] === '')) return undefined;
  const [, first = '', last = ''] = found;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0)) {
    throw refuse('InvalidRange', { RangeRequested: header ?? '', ActualObjectSize: String(size) }, { 'content-range': `bytes */${size}` });
  }
  return { start, end };
}

function names(condition: string, version: Version): boolean {
  return condition.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '').replaceAll('"', '') === version.etag);
}
