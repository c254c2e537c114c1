import { ArtifactstoreError } from '../kernel/error.ts';

/** What stands in the log where a token was. */
export const concealed = '(token)';

/** Shorter words are no token that was made to be one. */
const shortestToken = 16;
/** More words than any address of this server has, and more marks in one than a name with a token has. */
const maximumWords = 64;
const maximumMarks = 12;
/** Whether it has short words and ids, and nothing else: no parameter, no escape, no JWT, and no word for a token. */
export function isPlainPath(url: string): boolean {
  return plainPath.test(url);
}

const plainPath = /^(?:\/(?:[a-z-]{0,15}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))+$/;
const parameters = /^(?:access_token|token|authorization)$/i;

export interface UrlSecrets {
  /** Whether this is a token that the server knows. */
  isToken(word: string): boolean;
  /** Whether the path may hold any name that a user gave: `token=a` can be a file's. */
  readonly namesFiles: boolean;
}

/**
 * Refuses a URL that holds a token, by what it is called, by its form (a JWT), or because the server knows it: URLs are
 * kept by proxies, browsers and logs, and sent on as a referrer (RFC 6750 section 5.3).
 */
export function refuseUrlSecrets(url: string, { isToken, namesFiles }: UrlSecrets): void {
  // Most have nothing in which a token could stand.
  if (isPlainPath(url)) return;
  const at = url.indexOf('?');
  const path = decoded(at < 0 ? url : url.slice(0, at));
  const pairs = at < 0 ? [] : decoded(url.slice(at + 1).replaceAll('+', ' ')).split('&');
  const named = (text: string): boolean => parameters.test(text.split('=', 1)[0]!.trim()) && text.includes('=');
  if (
    !pairs.some(named) &&
    (namesFiles || !path.split(/[/;&]/).some(named)) &&
    !holdsJwt(path) &&
    !pairs.some(holdsJwt) &&
    !wordsOf(path, pairs).some((word) => holdsToken(word, isToken))
  )
    return;
  throw new ArtifactstoreError(
    'malformed_request',
    'The URL holds a token: send it in the Authorization field, and replace this one, since it may be in logs of others.',
    { field: 'authorization' },
  );
}

function wordsOf(path: string, pairs: readonly string[]): readonly string[] {
  const values = pairs.map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  const names = path.split('/').filter((word) => !isName.test(word));
  return [...names, ...values].filter((word) => word.length >= shortestToken).slice(0, maximumWords);
}

/**
 * Whether a word is a token, or has one between marks: as copied from the end of a sentence, or as a part of a name.
 * Not one that has other letters at its side: of most tokens only a digest is known.
 */
export function holdsToken(word: string, isToken: (word: string) => boolean): boolean {
  if (isToken(word)) return true;
  const marks = [...word.matchAll(/[^A-Za-z0-9]+/g)].slice(0, maximumMarks);
  const starts = [0, ...marks.map((mark) => mark.index + mark[0].length)];
  const ends = [...marks.map((mark) => mark.index), word.length];
  return starts.some((start) =>
    ends.some((end) => end - start >= shortestToken && end - start < word.length && isToken(word.slice(start, end))),
  );
}

/** Ids and content addresses, which nearly every path has, and which nobody should take for a token. */
const isName = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]+:[0-9a-f]{64})$/;

/** Whether something in it has the form of a JWT: three parts, of which the last may be empty. */
export function holdsJwt(text: string): boolean {
  return withoutJwts(text, 3) !== text;
}

/** The text with everything left out that has the form of a JWT, or of most of one. */
export function concealJwts(text: string): string {
  return withoutJwts(text, 2);
}

/** RFC 7519: the first part is a JSON object in base64url. It takes time in proportion to the text. */
function withoutJwts(text: string, fewestParts: number): string {
  if (!text.includes('eyJ')) return text;
  return text.replace(/[A-Za-z0-9_.-]+/g, (word) => {
    const parts = word.split('.');
    const first = parts.findIndex((part, index) => {
      const start = part.indexOf('eyJ');
      return start >= 0 && part.length - start >= 12 && index + fewestParts <= parts.length && parts[index + 1]!.length >= 8;
    });
    if (first < 0) return word;
    const before = parts[first]!.slice(0, parts[first]!.indexOf('eyJ'));
    return `${[...parts.slice(0, first), before].join('.')}${concealed}`;
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
