import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import { type AdminPair, documentNames, type Pointer, readCurrent, readGeneration } from '../documents.ts';
import type { Authority, Issuer, Provider, Scope } from '../PROVIDER.ts';
import type { Patience } from '../propagation.ts';
import type { Step, StepLog, StepName } from './steps.ts';

export interface RotateRequest {
  readonly provider: Provider;
  readonly secrets: Secrets;
  readonly scope: Scope;
  readonly otherBucket: string | undefined;
  /** How long the keys live, where they end by themselves. */
  readonly lifetimeMilliseconds: number;
  /** How long both generations are good. */
  readonly overlapMilliseconds: number;
  readonly patience: Patience;
  readonly now: () => number;
  /** Told of every step after it is durable; tests end the process here. */
  readonly onStep?: (step: Omit<Step, 'at'>) => void | Promise<void>;
  readonly onWarning?: (text: string) => void;
}

/** Where a run is; each part of it begins with what the log and the documents say, so that any may be the first. */
export interface Run {
  readonly request: RotateRequest;
  readonly issuer: Issuer;
  readonly pair: AdminPair;
  readonly log: StepLog;
  readonly generation: number;
  readonly previous: number | undefined;
  readonly scope: Scope;
  /** In every label of this run, so that it ends its own keys and nobody else's. */
  readonly id: string;
  add(step: StepName, facts?: Partial<Step>): Promise<void>;
}

export interface Current extends Pointer {
  readonly version: string;
}

/** The beginning of the labels of everything that is minted for a generation of a store. */
export function labelOf(generation: number, { storeId }: Pick<AdminPair, 'storeId'>): string {
  return `artifactstore-g${generation}-${storeId === undefined ? '' : `${storeId}-`}`;
}

export function issuerOf(provider: Provider): Issuer {
  if (provider.issuer !== undefined) return provider.issuer;
  throw new ArtifactstoreError(
    'invalid_configuration',
    `Keys of the provider "${provider.kind}" are made elsewhere: nothing can be rotated.`,
    {
      field: '--provider',
      info: { hint: 'make them where they come from; `artifactstore storage certify --family reach` proves what they reach' },
    },
  );
}

/** Errors: `invalid_configuration` for a scope that no keys of this provider can have, before any are made. */
export function requireNarrowEnough({ kind, capabilities }: Provider, { prefix }: Scope): void {
  if (prefix === '' || capabilities.narrowest === 'prefix') return;
  throw new ArtifactstoreError('invalid_configuration', `Keys of the provider "${kind}" reach a whole bucket, and no less.`, {
    field: '--prefix',
    info: { hint: 'leave --prefix out, and give the registry a bucket of its own' },
  });
}

/** Errors: `provider_forbidden` where the bucket is not there. */
export function requireBucket({ place }: Provider, { bucket }: Scope, { bucketIsThere }: Authority): void {
  if (bucketIsThere !== false) return;
  throw new ArtifactstoreError('provider_forbidden', `There is no bucket ${bucket} at ${place}.`, {
    field: '--bucket',
    info: { hint: 'make it first, or look at its name' },
  });
}

export function whereOf({ bucket, prefix }: Scope): string {
  return prefix === '' ? `bucket ${bucket}` : `${prefix}/ in bucket ${bucket}`;
}

export async function currentOf(secrets: Secrets): Promise<Current | undefined> {
  const found = await secrets.get(documentNames.current);
  return found === undefined ? undefined : { ...readCurrent(found.value), version: found.version };
}

/** What a rotation is about: of a run that did not end, or of another one. */
export interface Begun {
  readonly generation: number;
  /** The generation that is ended at the end. */
  readonly previous: number | undefined;
  readonly scope: Scope;
  /** Whether an earlier run is finished. */
  readonly isResumed: boolean;
  /** A generation that was under way and is not finished: its keys were ended, or are kept nowhere. */
  readonly abandoned: number | undefined;
}

/** From the log and the documents alone. Nothing is changed. */
export async function beginOf({ secrets, scope }: RotateRequest, steps: readonly Step[], current: Current | undefined): Promise<Begun> {
  const open = openRun(steps);
  if (open !== undefined && (await mayFinish(secrets, steps, current, open.generation)))
    return { ...open, isResumed: true, abandoned: undefined };
  const known = [current?.generation ?? 0, ...(current?.withdrawn ?? []), ...steps.map((step) => step.generation)];
  const generation = Math.max(...known) + 1;
  // Where the ended one is the current one already, the one before it still has its keys.
  const previous = open !== undefined && current?.generation === open.generation ? open.previous : current?.generation;
  return { generation, previous, scope, isResumed: false, abandoned: open?.generation };
}

/**
 * Keys of a generation are minted by one run alone: who finds that another began with it, and kept none, makes another
 * generation. So nobody ends keys that somebody else is about to keep.
 */
async function mayFinish(secrets: Secrets, steps: readonly Step[], current: Current | undefined, generation: number): Promise<boolean> {
  if (isWithdrawn(generation, current)) return false;
  const found = await secrets.get(documentNames.generation(generation));
  if (found !== undefined) return readGeneration(found.value, generation) !== 'ended';
  const isMinting = steps.some((each) => each.generation === generation && each.step === 'minting');
  return !isMinting || current?.generation === generation;
}

/** Whether the pointer says that it never becomes the current one; it goes to later ones only. */
export function isWithdrawn(generation: number, current: Current | undefined): boolean {
  return generation < (current?.generation ?? 0) || current?.withdrawn.includes(generation) === true;
}

async function isEnded(secrets: Secrets, generation: number): Promise<boolean> {
  const found = await secrets.get(documentNames.generation(generation));
  return found !== undefined && readGeneration(found.value, generation) === 'ended';
}

export interface Overlap {
  /** Milliseconds since the epoch. */
  readonly end: number;
  /** Whether an earlier run has written its end down. */
  readonly isBegun: boolean;
}

/**
 * Until when the keys of the generation before stay good. Who finishes an earlier run may make that time shorter, and
 * does not begin it again; keys that were ended already are not waited for.
 */
export async function overlapOf(
  { secrets, now, overlapMilliseconds }: RotateRequest,
  steps: readonly Step[],
  { generation, previous }: { readonly generation: number; readonly previous: number },
): Promise<Overlap> {
  const longest = now() + ((await isEnded(secrets, previous)) ? 0 : overlapMilliseconds);
  const begun = Date.parse(steps.findLast((each) => each.generation === generation && each.step === 'draining')?.until ?? '');
  return Number.isNaN(begun) ? { end: longest, isBegun: false } : { end: Math.min(longest, begun), isBegun: true };
}

/** The run that has neither ended nor failed. */
export function openRun(steps: readonly Step[]): Pick<Begun, 'generation' | 'previous' | 'scope'> | undefined {
  const begun = steps.findLast(({ step }) => step === 'planned');
  if (begun === undefined) return undefined;
  const isOver = steps.some(({ generation, step }) => generation === begun.generation && (step === 'done' || step === 'failed'));
  if (isOver) return undefined;
  return { generation: begun.generation, previous: begun.previous, scope: { bucket: begun.bucket ?? '', prefix: begun.prefix ?? '' } };
}
