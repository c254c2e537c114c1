import { ArtifactstoreError } from '../../kernel/error.ts';

/**
 * A piece of HCL: `text` is a string in quotes or a heredoc, `mark` one character that is none of a word. Comments and
 * spaces are left out; the end of a line is a token, since it ends an attribute.
 */
export interface HclToken {
  readonly kind: 'word' | 'string' | 'heredoc' | 'mark' | 'newline';
  readonly text: string;
  /** Where it begins and ends in the source. */
  readonly start: number;
  readonly end: number;
}

/** The tokens of HCL (HCL Native Syntax Specification, Lexical Elements). Throws `invalid_value` with the line. */
export function hclTokens(source: string): readonly HclToken[] {
  const tokens: HclToken[] = [];
  let at = 0;
  while (at < source.length) {
    const start = at;
    const kind = kindAt(source, start);
    at = endOf(source, start, kind);
    if (kind !== 'space') tokens.push({ kind, text: source.slice(start, at), start, end: at });
  }
  return tokens;
}

/** For messages; the first is 1. */
export function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length;
}

function kindAt(source: string, at: number): HclToken['kind'] | 'space' {
  const character = source[at]!;
  if (character === '\n') return 'newline';
  if (/\s|#/.test(character) || source.startsWith('//', at) || source.startsWith('/*', at)) return 'space';
  if (character === '"') return 'string';
  if (/^<<-?[\p{L}_]/u.test(source.slice(at, at + 5))) return 'heredoc';
  return /[\p{L}\p{N}_]/u.test(character) ? 'word' : 'mark';
}

function endOf(source: string, start: number, kind: HclToken['kind'] | 'space'): number {
  switch (kind) {
    case 'newline':
    case 'mark':
      return start + 1;
    case 'word':
      return matched(/[\p{L}\p{N}_-]+/uy, source, start);
    case 'string':
      return stringEnd(source, start);
    case 'heredoc':
      return heredocEnd(source, start);
    case 'space':
      if (source.startsWith('/*', start)) {
        const close = source.indexOf('*/', start + 2);
        if (close < 0) throw unfinished(source, start, 'comment');
        return close + 2;
      }
      return source[start] === '#' || source[start] === '/' ? matched(/[^\n]*/y, source, start) : matched(/[^\S\n]+/y, source, start);
  }
}

/** Templates in a string may have strings of their own. */
function stringEnd(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length) {
    const character = source[at]!;
    if (character === '"') return at + 1;
    if (character === '\n') break;
    if (character === '\\') at += 2;
    else if (/^(?:\$\$|%%)\{/.test(source.slice(at, at + 3))) at += 3;
    else if (/^[$%]\{/.test(source.slice(at, at + 2))) at = templateEnd(source, at + 2, start);
    else at += 1;
  }
  throw unfinished(source, start, 'string');
}

function templateEnd(source: string, from: number, start: number): number {
  let depth = 1;
  let at = from;
  while (at < source.length) {
    const character = source[at]!;
    if (character === '"') at = stringEnd(source, at);
    else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      at += 1;
      if (depth === 0) return at;
    }
  }
  throw unfinished(source, start, 'template');
}

function heredocEnd(source: string, start: number): number {
  const [, word = ''] = /^<<-?([\p{L}_][\p{L}\p{N}_-]*)/u.exec(source.slice(start, start + 200)) ?? [];
  const close = new RegExp(`^[ \\t]*${word}(?=\\r?$)`, 'gm');
  close.lastIndex = start + 2 + word.length;
  const found = close.exec(source);
  if (found === null) throw unfinished(source, start, 'heredoc');
  return found.index + found[0].length;
}

function matched(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(source)?.[0].length ?? 1);
}

function unfinished(source: string, at: number, what: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `The job is no HCL: the ${what} that begins in line ${lineOf(source, at)} does not end.`, {
    info: { line: lineOf(source, at) },
  });
}
