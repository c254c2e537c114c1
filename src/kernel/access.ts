/**
 * Who acts, and what they may do. A door makes a principal out of each request before it reads the body; from there on
 * everything takes the principal, never a header. The unit of ownership, access and quota is the producer.
 */
export interface Principal {
  /** What the log records. */
  readonly actor: string;
  /** For whom work is done, where what is scarce is shared: many may share one actor. Never shown. */
  readonly share: string;
  /** They add up. None of them: nothing is allowed. */
  readonly grants: readonly Grant[];
}

export interface Grant {
  readonly role: Role;
  readonly producers: readonly ProducerPattern[];
}

/** Logical bytes and number of a producer's packages that are neither collected nor abandoned. Null: no bound. */
export interface Quota {
  readonly maximum_bytes: number | null;
  readonly maximum_packages: number | null;
}

/** A producer's name, or a glob in which `*` stands for any characters, and `?` for one. */
export type ProducerPattern = { readonly exact: string } | { readonly glob: string };

/**
 * `reader`, `writer`, `keeper` and `admin` are what grants give. `observer` is whoever has no token where everybody may
 * read: a reader who also sees the registry's own events and its usage.
 */
export type Role = 'reader' | 'writer' | 'keeper' | 'admin' | 'observer';

/**
 * `read`: packages, files, manifests, events and retention. `write`: create, add to, finalize and abandon packages;
 * metadata schemas whose slug begins with the producer's name and a dot. `keep`: extend, hold, release. `observe`:
 * events of backends and of the registry, the usage of all, metrics, details of health. `administer`: other schemas.
 */
export type Right = 'read' | 'write' | 'keep' | 'observe' | 'administer';

export const rightsOf: Readonly<Record<Role, readonly Right[]>> = {
  reader: ['read'],
  writer: ['read', 'write'],
  keeper: ['read', 'keep'],
  admin: ['read', 'write', 'keep', 'observe', 'administer'],
  observer: ['read', 'observe'],
};

/** Whom a door takes a caller for, as it tells that caller. */
export interface WhoAmI {
  readonly actor: string;
  /** What kind of token was shown; null for none. */
  readonly by: string | null;
  /** When the token ends, RFC 3339; null for never. */
  readonly expires_at: string | null;
  readonly grants: readonly Grant[];
}

const everyProducer: readonly ProducerPattern[] = [{ glob: '*' }];

/** May do everything: a token of `ARTIFACTSTORE_AUTH_TOKENS`, and whoever has the database itself. */
export function administrator(actor: string, share: string = `actor ${actor}`): Principal {
  return { actor, share, grants: [{ role: 'admin', producers: everyProducer }] };
}

/** May read everything. */
export function observer(actor: string, share: string = `actor ${actor}`): Principal {
  return { actor, share, grants: [{ role: 'observer', producers: everyProducer }] };
}

/**
 * Whether the right holds for the producer. What is about no producer (`observe`, `administer`) leaves it out, and is
 * given by a grant for all of them.
 */
export function allows({ grants }: Pick<Principal, 'grants'>, right: Right, producer?: string): boolean {
  return grants.some(
    ({ role, producers }) =>
      rightsOf[role].includes(right) && producers.some((each) => (producer === undefined ? isEverything(each) : matches(each, producer))),
  );
}

/** Whether both act under one name and may do the same. */
export function isSamePrincipal(one: Principal, other: Principal): boolean {
  if (one === other) return true;
  return one.actor === other.actor && (one.grants === other.grants || JSON.stringify(one.grants) === JSON.stringify(other.grants));
}

function isEverything(pattern: ProducerPattern): boolean {
  return 'glob' in pattern && /^\*+$/.test(pattern.glob);
}

/** The producers for which a right holds: all of them (`everything`), or those that match one of the patterns. */
export type Scope = 'everything' | readonly ProducerPattern[];

export function scopeOf({ grants }: Principal, right: Right): Scope {
  const patterns = grants.filter(({ role }) => rightsOf[role].includes(right)).flatMap(({ producers }) => producers);
  return patterns.some(isEverything) ? 'everything' : patterns;
}

export function inScope(scope: Scope, producer: string): boolean {
  return scope === 'everything' || scope.some((pattern) => matches(pattern, producer));
}

/** Producers for which it is remembered what the globs of a scope say of them. */
const keptMatches = 20_000;
/** So few globs are as fast as a look at what is remembered. */
const fewGlobs = 4;

/** `inScope` for many questions: of ten thousand exact names none is gone through, and of a producer globs are once. */
export function scopeTest(scope: Scope): (producer: string) => boolean {
  if (scope === 'everything') return () => true;
  const exact = new Set<string>();
  const globs: ((text: string) => boolean)[] = [];
  for (const pattern of scope)
    if ('exact' in pattern) exact.add(pattern.exact);
    else globs.push(globTest(pattern.glob));
  if (globs.length <= fewGlobs) return (producer) => exact.has(producer) || globs.some((matches) => matches(producer));
  const kept = new Map<string, boolean>();
  return (producer) => {
    if (exact.has(producer)) return true;
    const known = kept.get(producer);
    if (known !== undefined) return known;
    const found = globs.some((matches) => matches(producer));
    if (kept.size >= keptMatches) kept.clear();
    kept.set(producer, found);
    return found;
  };
}

export function matches(pattern: ProducerPattern, producer: string): boolean {
  return 'exact' in pattern ? pattern.exact === producer : matchesGlob(pattern.glob, producer);
}

/**
 * Whether the whole text is what the glob describes: `*` stands for any characters, none included, and `?` for one
 * character (a code point). There are no other signs and no way to take one of them literally. It takes time in
 * proportion to the product of both lengths at most.
 */
export function matchesGlob(glob: string, text: string): boolean {
  return globTest(glob)(text);
}

/** `matchesGlob` for many texts. */
function globTest(glob: string): (text: string) => boolean {
  const first = glob.search(/[*?]/);
  if (first < 0) return (text) => text === glob;
  // Most do not even begin or end so, and a text may be long and the globs many.
  const beginning = glob.slice(0, first);
  const ending = glob.slice(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')) + 1);
  const signs = inCharacters(glob.slice(first, glob.length - ending.length));
  return (text) =>
    text.length >= beginning.length + ending.length &&
    text.startsWith(beginning) &&
    text.endsWith(ending) &&
    (signs === '*' || matchesSigns(signs, inCharacters(text.slice(first, text.length - ending.length))));
}

/** To be indexed by code point. */
function inCharacters(text: string): string | readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

function matchesSigns(signs: string | readonly string[], characters: string | readonly string[]): boolean {
  let [sign, character] = [0, 0];
  // The last star, and up to where it was taken to reach.
  let [star, reached] = [-1, 0];
  while (character < characters.length) {
    if (signs[sign] === '*') {
      star = sign++;
      reached = character;
    } else if (sign < signs.length && (signs[sign] === '?' || signs[sign] === characters[character])) {
      sign++;
      character++;
    } else if (star >= 0) {
      sign = star + 1;
      character = ++reached;
    } else return false;
  }
  while (signs[sign] === '*') sign++;
  return sign === signs.length;
}
