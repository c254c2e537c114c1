import { commaSeparated } from './comma-separated.ts';

/** Origins of web pages, comma separated, as a browser writes them; `*` stands for all. Throws an Error. */
export function parseOrigins(text: string): readonly string[] {
  return commaSeparated(text).map(parseOrigin);
}

function parseOrigin(text: string): string {
  if (text === '*') return text;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== text)
    throw new Error(`"${text}" is not an origin, such as https://app.example.org or http://localhost:5173; * stands for every one`);
  return text;
}
