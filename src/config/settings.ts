import { nearestNames } from '../protocol/nearest-names.ts';
import type { BackendSettings } from '../storage/kind.ts';
import { commaSeparated } from './comma-separated.ts';

const prefix = 'ARTIFACTSTORE_';
/** The source that is whoever's wrote the working directory. */
export const dotEnvName = '.env';
/** The source that is whoever's runs the program. */
export const environmentName = 'environment';
const secretPlaceholder = '(secret)';

export interface SettingSource {
  /** What a person knows it by, for messages. */
  readonly origin: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

export interface Problem {
  /** The variable's whole name. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads variables by their names without the prefix, from the first source that has them, and collects what is wrong
 * instead of stopping at the first. After a refused value the default is used, so that reading can continue. A parser
 * throws an Error whose message says what is wrong with the value.
 */
export interface Settings extends BackendSettings {
  list(name: string, initial: string): readonly string[];
  /** Never shown; undefined where it is not set. */
  secret<T>(name: string, parse: (text: string) => T): T | undefined;
  /** The values of the variables that `env:` references name, as far as they are set. */
  referenced(): Readonly<Record<string, string>>;
  isSet(name: string): boolean;
  /** Which source it comes from; undefined where it is not set. */
  originOf(name: string): string | undefined;
  /** The same, by the variable's whole name. */
  originOfVariable(variable: string): string | undefined;
  /** A variable of another system, under its own name. */
  unprefixed(name: string): string | undefined;
  /** A variable by its whole name, as a platform has put it into the environment; never one of `.env`. */
  ofEnvironment(name: string): string | undefined;
  /**
   * What was refused, and every prefixed name, in whatever case, that nobody asked for. Call when everything is read.
   */
  problems(): readonly Problem[];
  describe(): Readonly<Record<string, string>>;
}

/** Of variables in `doubted` it is known that their values are wrong: no more is said of these. */
export function settingsFrom(sources: readonly SettingSource[], doubted: ReadonlySet<string> = new Set()): Settings {
  const known = new Set<string>();
  const shown: Record<string, string> = {};
  const refused: Problem[] = [];
  const referenced = new Set<string>();

  const find = (variable: string): { readonly text: string; readonly origin: string } | undefined => {
    for (const { values, origin } of sources) {
      const text = values[variable];
      if (text !== undefined && text !== '') return { text, origin };
    }
    return undefined;
  };
  const lookUp = (name: string): string | undefined => {
    known.add(prefix + name);
    return find(prefix + name)?.text;
  };
  const refuse = (name: string, text: string): void => {
    const variable = prefix + name;
    if (doubted.has(variable)) return;
    const origin = find(variable)?.origin;
    refused.push({ name: variable, text: origin === undefined || origin === environmentName ? text : `${text} (in ${origin})` });
  };
  const parsed = <T>(name: string, initial: string, parse: (text: string) => T, secret = false): T => {
    const text = lookUp(name);
    shown[prefix + name] = secret ? (text === undefined ? '' : secretPlaceholder) : withoutPassword(text ?? initial);
    if (text !== undefined)
      try {
        return parse(text);
      } catch (error) {
        refuse(name, (error as Error).message);
      }
    return parse(initial);
  };

  return {
    refuse,
    parsed: (name, initial, parse) => parsed(name, initial, parse),
    text: (name, initial) => parsed(name, initial, (text) => text),
    integer: (name, initial, { from, to = Number.MAX_SAFE_INTEGER }) =>
      parsed(name, String(initial), (text) => {
        const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
        if (value >= from && value <= to) return value;
        throw new Error(
          `"${text}" is not a whole number ${to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`}`,
        );
      }),
    boolean: (name, initial) =>
      parsed(name, String(initial), (text) => {
        const value = booleans.get(text.trim().toLowerCase());
        if (value === undefined) throw new Error(`"${text}" is neither true nor false`);
        return value;
      }),
    oneOf: (name, initial, values) =>
      parsed(name, initial, (text) => {
        const value = values.find((candidate) => candidate.toLowerCase() === text.trim().toLowerCase());
        if (value === undefined) throw new Error(`"${text}" is not one of ${values.join(', ')}`);
        return value;
      }),
    list: (name, initial) => parsed(name, initial, commaSeparated),
    secret: <T>(name: string, parse: (text: string) => T): T | undefined =>
      parsed<T | undefined>(name, '', (text) => (text === '' ? undefined : parse(text)), true),
    reference: (name) =>
      parsed(
        name,
        '',
        (text) => {
          if (text === '') return undefined;
          const match = /^(?:(?:env|secret):([A-Za-z_][A-Za-z0-9_]*)|file:\/.+|secret:.+)$/.exec(text);
          if (match === null) throw new Error('must be env:NAME, file:/absolute/path or secret:NAME; never the credential itself');
          if (match[1] !== undefined) referenced.add(match[1]);
          return text;
        },
        !/^(?:env|file|secret):/.test(find(prefix + name)?.text ?? 'env:'),
      ),
    refuseForeignSecrets: (addresses, secrets) => {
      for (const address of addresses.filter((name) => find(prefix + name)?.origin === dotEnvName))
        for (const secret of secrets) {
          const given = find(prefix + secret);
          const [, variable] = /^env:(.+)$/.exec(given?.text ?? '') ?? [];
          const holder = variable === undefined ? given : find(variable);
          if (holder === undefined || holder.origin === dotEnvName) continue;
          const what = variable === undefined ? prefix + secret : `${variable}, which ${prefix}${secret} names,`;
          refuse(address, `is no address for ${what} of the environment; if it is yours, set it in the environment too`);
        }
    },
    referenced: () =>
      Object.fromEntries(
        [...referenced].flatMap((name) => {
          const found = find(name);
          return found === undefined ? [] : [[name, found.text]];
        }),
      ),
    isSet: (name) => lookUp(name) !== undefined,
    originOf: (name) => find(prefix + name)?.origin,
    originOfVariable: (variable) => find(variable)?.origin,
    unprefixed: (name) => find(name)?.text,
    ofEnvironment: (name) => {
      if (name.startsWith(prefix)) known.add(name);
      return sources.find(({ origin }) => origin === environmentName)?.values[name] || undefined;
    },
    problems: () => {
      const unknown = new Map<string, Problem>();
      for (const { values, origin } of sources)
        for (const name of Object.keys(values)) {
          if (!name.toUpperCase().startsWith(prefix) || name.startsWith(`${prefix}TEST_`) || known.has(name) || referenced.has(name))
            continue;
          const text = unknown.size < mostGuessed ? unknownText(name, known) : unknownName;
          unknown.set(name, { name, text: `${text}${origin === environmentName ? '' : ` (in ${origin})`}` });
        }
      return [...refused, ...unknown.values()];
    },
    describe: () => ({ ...shown }),
  };
}

const unknownName = 'is not a known setting';
/** So many unknown names are no slips of a hand, and to compare each takes a while. */
const mostGuessed = 100;

function unknownText(name: string, known: ReadonlySet<string>): string {
  const upper = name.toUpperCase();
  if (known.has(upper)) return `${unknownName}: names are in capitals, as ${upper}`;
  const near = nearestNames(
    upper.slice(prefix.length),
    [...known].map((one) => one.slice(prefix.length)),
  );
  return `${unknownName}${near.length === 0 ? '' : `; did you mean ${near.map((one) => prefix + one).join(' or ')}?`}`;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

/** A password may hold what it should not, unencoded: it is taken to go to the last "@". */
function withoutPassword(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):.*@/is, `$1:${secretPlaceholder}@`)
    .replace(/([?&](?:ssl)?password=)[^&#]*/gi, `$1${secretPlaceholder}`);
}
