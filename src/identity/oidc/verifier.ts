import { audienceOf, checkClaims } from './claim-rules.ts';
import { fetchKeys } from './fetch-keys.ts';
import type { IssuerConfig } from './issuer-config.ts';
import { createKeySource, type KeySource } from './key-source.ts';
import type { IssuerStatus, Oidc, VerifiedToken } from './OIDC.ts';
import { maximumTokenCharacters, readToken } from './read-token.ts';
import { quoted, refused } from './refusal.ts';
import { checkSignature } from './signature.ts';
import { countUse } from './single-use.ts';
import { createUsedTokens, type UsedTokens } from './used-tokens.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

export interface OidcOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For all that has to be asked of an issuer before a token can be judged. */
  readonly timeoutMilliseconds?: number;
}

/** One table of the access file, and where its keys come from. */
interface Issuer {
  readonly config: IssuerConfig;
  readonly source: KeySource;
}

export function createOidc({ now, timeoutMilliseconds = 10_000 }: OidcOptions): Oidc {
  const verified = createVerifiedTokens();
  let issuers: readonly Issuer[] = [];
  let sources: ReadonlyMap<string, KeySource> = new Map();
  /** By issuer. Kept even when its table goes, for it may come back before the tokens end. */
  const used = new Map<string, UsedTokens>();

  function openSource(config: IssuerConfig): KeySource {
    return createKeySource((closing) => fetchKeys(config, AbortSignal.any([closing, AbortSignal.timeout(timeoutMilliseconds)])), now);
  }

  function usedOf({ issuer }: IssuerConfig): UsedTokens {
    const there = used.get(issuer) ?? createUsedTokens(now());
    used.set(issuer, there);
    return there;
  }

  /** What was verified before, as long as all that it was verified with is still so. */
  function known(text: string): VerifiedToken | undefined {
    if (text.length > maximumTokenCharacters) return undefined;
    const { token, config, keys } = verified.get(text) ?? {};
    if (token === undefined || token.expiresAt <= now()) return undefined;
    return issuers.find((each) => each.config === config)?.source.inForce() === keys ? token : undefined;
  }

  async function verifyWhole(text: string): Promise<VerifiedToken> {
    const { algorithm, keyId, claims } = readToken(text);
    const { iss } = claims;
    const ofIssuer = issuers.filter(({ config }) => config.issuer === iss);
    const issuer = ofIssuer.find(({ config }) => config.audience === audienceOf(claims)) ?? ofIssuer[0];
    if (issuer === undefined)
      throw refused(typeof iss === 'string' ? `its issuer ("iss"), ${quoted(iss)}, is not one of this server` : 'it has no issuer ("iss")');
    const { config, source } = issuer;
    if (!config.algorithms.some((each) => each === algorithm))
      throw refused(`it is signed with ${quoted(algorithm)}, which its issuer may not use here`);
    const { key, keys } = await source.keyFor(algorithm, keyId);
    await checkSignature(text, key, algorithm);
    const audiences = ofIssuer.map((each) => each.config.audience);
    const times = checkClaims(claims, config, audiences, now());
    const token: VerifiedToken = { issuer: config.name, claims, expiresAt: times.expiresAt };
    if (config.singleUse) countUse(usedOf(config), config.name, claims, times, now());
    else verified.keep(text, { token, config, keys });
    return token;
  }

  return {
    verify: (text) => known(text) ?? verifyWhole(text),
    use(configs) {
      const before = issuers;
      const next = new Map<string, KeySource>();
      issuers = configs.map((config) => {
        const origin = JSON.stringify([config.issuer, config.jwksUrl, config.caFile]);
        const source = next.get(origin) ?? sources.get(origin) ?? openSource(config);
        next.set(origin, source);
        if (config.singleUse) usedOf(config);
        // The same object where nothing changed, so that what was verified with it holds on.
        return { source, config: before.find((each) => sameTable(each.config, config))?.config ?? config };
      });
      for (const [origin, source] of sources) if (!next.has(origin)) void source.close();
      sources = next;
    },
    status: () =>
      issuers.map(({ config, source }): IssuerStatus => {
        const { keys, readAt, failure } = source.state();
        return {
          issuer: config.name,
          keys,
          read_at: readAt === undefined ? null : new Date(readAt).toISOString(),
          failure: failure ?? null,
        };
      }),
    async close() {
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}

function sameTable(one: IssuerConfig, other: IssuerConfig): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
