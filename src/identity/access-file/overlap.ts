import { type Grant, matchesGlob, type ProducerPattern, rightsOf } from '../../kernel/access.ts';
import { type Condition, isWanted, type Wanted } from '../grants/conditions.ts';
import { exactOf, indexByConditions } from '../grants/grant-index.ts';
import type { FileGrant, Finding, IssuerHolder } from './access-file.ts';

/**
 * Comparisons of two grants in one file, some hundred milliseconds of them. A server reads the file beside its
 * requests, and patterns alone have to be compared each with each.
 */
const mostComparisons = 250_000;

/**
 * Grants that are of no use or contradict each other: the same holder under two names, and what another gives already.
 * Only what one other grant gives alone is seen, so that grants which add up are never refused; and in a file of many
 * grants that only patterns tell apart, only the first of them are compared.
 */
export function overlaps(grants: readonly FileGrant[]): readonly Finding[] {
  const groups = new Map<string, Conditioned[]>();
  let left = mostComparisons;
  for (const grant of grants) {
    const key = groupOf(grant);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push({ grant, conditions: grant.holder.kind === 'issuer' ? grant.holder.conditions : [] });
  }
  const found = new Map<FileGrant, string>();
  for (const group of groups.values()) {
    const names = new Map<string, FileGrant>();
    const index = indexByConditions(group);
    for (const { grant, conditions } of group) {
      const who = matcherOf(grant);
      const first = names.get(who) ?? grant;
      names.set(who, first);
      if (actorOf(first) !== actorOf(grant))
        found.set(grant, `it is for the holder of the grant at line ${first.place.line}, under another actor: one holder has one`);
      if (left <= 0) continue;
      const wanted = conditions.flatMap(exactOf);
      // What covers this one wants of each claim no less than all that this one takes.
      const near = index.candidates(({ text }) => wanted.filter(({ claim }) => claim.text === text).map(({ value }) => value));
      left -= near.length;
      const cover = near.find((other) => other.grant !== grant && covers(other, { grant, conditions }) && !found.has(other.grant));
      if (cover !== undefined && !found.has(grant)) found.set(grant, coverText(cover.grant));
    }
  }
  return [...found].map(([{ place }, message]) => ({ ...place, message }));
}

function coverText({ place }: FileGrant): string {
  return `the grant at line ${place.line} gives all of this already: remove one of them, or make one narrower`;
}

/** Only grants of one group can have to do with each other. */
function groupOf({ holder }: FileGrant): string {
  if (holder.kind === 'issuer') return `issuer ${holder.issuer}`;
  return holder.kind === 'token' ? `token ${holder.digest}` : 'anonymous';
}

function matcherOf({ holder }: FileGrant): string {
  if (holder.kind !== 'issuer') return '';
  const conditions = holder.conditions.map(({ claim, anyOf }) => [claim.steps, anyOf.map((wanted) => JSON.stringify(wanted)).sort()]);
  return JSON.stringify(conditions.map((condition) => JSON.stringify(condition)).sort());
}

function actorOf({ holder }: FileGrant): string {
  if (holder.kind === 'anonymous') return '';
  return holder.kind === 'token' ? holder.actor : templateText(holder);
}

function templateText({ actor }: IssuerHolder): string {
  return actor.map((part) => (typeof part === 'string' ? part : `{${part.text}}`)).join('');
}

interface Conditioned {
  readonly grant: FileGrant;
  readonly conditions: readonly Condition[];
}

/** Whether whatever the second gives to anybody, the first gives too. */
function covers(wide: Conditioned, narrow: Conditioned): boolean {
  return (
    givesAll(wide.grant.grant, narrow.grant.grant) &&
    wide.conditions.every(({ claim, anyOf }) => {
      const same = narrow.conditions.find((condition) => JSON.stringify(condition.claim.steps) === JSON.stringify(claim.steps));
      return same?.anyOf.every((value) => anyOf.some((other) => takesAll(other, value))) === true;
    })
  );
}

function givesAll(wide: Grant, narrow: Grant): boolean {
  return (
    rightsOf[narrow.role].every((right) => rightsOf[wide.role].includes(right)) &&
    narrow.producers.every((producer) => wide.producers.some((other) => takesAll(other, producer)))
  );
}

/** Whether everything that the second pattern stands for, the first does too; where that is hard to tell, no. */
function takesAll(wide: Wanted | ProducerPattern, narrow: Wanted | ProducerPattern): boolean {
  if ('exact' in narrow) return isWanted(wide, narrow.exact);
  if (!('glob' in wide)) return false;
  // A star of the narrow one, taken as a character, fits only a star of the wide one; a question mark could hide it.
  return wide.glob === narrow.glob || (!wide.glob.includes('?') && matchesGlob(wide.glob, narrow.glob));
}
