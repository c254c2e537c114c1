/**
 * Proactive negotiation (RFC 9110 section 12.5.1): of the media types `offered`, best first, the one that the Accept
 * field likes best, or undefined when it accepts none. Without a field it is the first. Equal weights go to the more
 * specific range, then to the order of the offer.
 */
export function negotiate<T extends string>(field: string | undefined, offered: readonly [T, ...T[]]): T | undefined {
  if (field === undefined || field.trim() === '') return offered[0];
  const ranges = field.split(',').map(parseMediaRange);
  let best: { readonly type: T; readonly weight: number; readonly specificity: number } | undefined;
  for (const type of offered) {
    const match = bestRange(type, ranges);
    if (match === undefined || match.weight === 0) continue;
    if (best === undefined || match.weight > best.weight || (match.weight === best.weight && match.specificity > best.specificity))
      best = { type, ...match };
  }
  return best?.type;
}

interface MediaRange {
  readonly range: string;
  readonly weight: number;
}

function parseMediaRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (quality === undefined) return { range, weight: 1 };
  return { range, weight: /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(quality) ? Number(quality) : 0 };
}

/** The weight that the most specific matching range gives. */
function bestRange(type: string, ranges: readonly MediaRange[]): { readonly weight: number; readonly specificity: number } | undefined {
  const candidates = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  for (const [index, candidate] of candidates.entries()) {
    const match = ranges.find(({ range }) => range === candidate);
    if (match !== undefined) return { weight: match.weight, specificity: candidates.length - index };
  }
  return undefined;
}
