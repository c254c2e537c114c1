import { commaSeparated } from './comma-separated.ts';

/**
 * Separated by commas: hosts as a URL has them (in small letters, an IPv6 address in brackets), or `*`; throws an Error
 * that names the wrong one.
 */
export function parseHostNames(text: string): readonly string[] {
  return commaSeparated(text).map(parseHostName);
}

function parseHostName(text: string): string {
  if (text === '*') return text;
  const plain = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#@\\[\]*]+)$/i.test(text);
  const name = plain ? URL.parse(`http://${text}`)?.hostname : undefined;
  if (name === undefined || name === '')
    throw new Error(`"${text}" is not a host name, without scheme and port, as artifacts.example.org; * stands for every name`);
  return name;
}
