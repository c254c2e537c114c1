import { fromHex } from '../../kernel/content/digest.ts';
import { filesDigest } from '../../kernel/content/files-digest.ts';
import { comparePaths } from '../../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Access } from '../access.ts';
import { attachFiles } from '../attach.ts';
import { withClaims } from '../claims.ts';
import type { Staged } from '../commit-files.ts';
import type { Context } from '../context.ts';
import type { Ingest } from '../ingest.ts';
import type { AttachItem } from '../operations/attach.ts';
import { placesOf, requireLive, type SessionObjectRow, type SessionRow } from '../operations/write-sessions/rows.ts';
import { createPackages } from '../packages.ts';
import type { CommittedSession, ObjectProblem } from '../REGISTRY.ts';
import { clearQuarantine, discardPlaces } from './discard.ts';
import { addressOf } from './present.ts';
import { committedRecord } from './session-record.ts';

export interface CommitParts {
  readonly context: Context;
  readonly access: Access;
  readonly ingest: Ingest;
}

/** Files of one transaction. */
const filesAtOnce = 250;
const attachedAtOnce = 1_000;
const stagedAtOnce = 32;
/** So often a commit begins again whose package somebody abandons. */
const maximumRounds = 4;

/**
 * Makes the package of a session. Each step looks for itself, so that whoever was killed between two of them, or does
 * this at the same time, comes to the same package. Nothing is sealed but exactly what was announced.
 */
export async function commitSession(parts: CommitParts, session: SessionRow): Promise<CommittedSession> {
  const { context, access } = parts;
  const { database } = context;
  const { id, object_count } = session;
  for (let round = 1; ; round++) {
    const begun = await database.write('session.begin_commit', {
      actor: access.actor,
      ...{ id, object_count },
      quota: context.quotaOf(session.producer) ?? null,
      duration_seconds: durationOf(context, session),
    });
    if (begun.missing.length > 0)
      throw incomplete(
        id,
        begun.missing.map((name) => ({ name, problem: 'missing' })),
      );
    if (begun.row.state === 'committed') return await committedRecord(context, begun.row);
    try {
      return await sealPackage(parts, begun.row);
    } catch (error) {
      if (isArtifactstoreError(error, 'write_session_incomplete')) throw error;
      // Whoever else commits, aborts or sweeps may have ended it meanwhile: what became of it is the answer.
      const now = await database.read('session.get', { id, objects: false });
      if (now?.row.state === 'committed') return await committedRecord(context, now.row);
      if (now !== undefined) requireLive(now.row, formatTimestamp(context.now()), true);
      // What others put into its package may have taken the room: it goes with them, and the session is open again.
      if (isArtifactstoreError(error, 'quota_exceeded')) await takeBack(parts, begun.row);
      // Somebody abandoned its package, or another commit took it back: the next round sees what is wanted.
      if (!isArtifactstoreError(error, 'package_not_open') || round === maximumRounds) throw error;
    }
  }
}

async function sealPackage(parts: CommitParts, row: SessionRow): Promise<CommittedSession> {
  const { context, access } = parts;
  const { database } = context;
  const { id, package_id, object_count } = row as SessionRow & { readonly package_id: string };
  const objects = (await database.read('session.get', { id, objects: true, object_count }))?.objects ?? [];
  const found = await fill(parts, row, package_id, objects);
  const problems = found.toSorted((left, right) => comparePaths(left.name, right.name));
  if (problems.length > 0) {
    const reopened = await database.write('session.reopen', { actor: access.actor, id, object_count, package_id, problems });
    await discardPlaces(context, reopened.places);
    if (reopened.row.state === 'committed') return await committedRecord(context, reopened.row);
    throw incomplete(id, problems);
  }
  const expected = objects.map(({ name, sha256, size_bytes }) => ({
    relative_path: name,
    digest_sha256: sha256,
    size_bytes,
    annotations: {},
  }));
  const sealed = await createPackages(context, access)
    .finalize(package_id, { files_digest: filesDigest(expected) })
    .catch(async (error: unknown) => {
      // Somebody else put files into it: another package is made by the next commit.
      if (isArtifactstoreError(error, 'precondition_failed')) await takeBack(parts, row);
      throw error;
    });
  const { manifest_digest } = sealed;
  const finished = await database.write('session.finish_commit', { id, object_count, package_id, manifest_digest });
  context.background('draft_left', removeSent(context, row, objects));
  return await committedRecord(context, finished);
}

/** What was kept aside for a session that is committed, and what else its senders wrote to the store. */
async function removeSent(context: Context, row: SessionRow, objects: readonly SessionObjectRow[]): Promise<void> {
  await discardPlaces(context, placesOf(row, objects));
  await clearQuarantine(context, row);
}

/** Abandons the package of a commit, and leaves the session open with all that it has. */
async function takeBack({ context, access }: CommitParts, { id, object_count, package_id }: SessionRow): Promise<void> {
  if (package_id === null) return;
  await context.database.write('session.reopen', { actor: access.actor, id, object_count, package_id, problems: [] });
}

/** Puts all objects into the package; what is wrong with those that can't be. */
async function fill(
  parts: CommitParts,
  row: SessionRow,
  packageId: string,
  objects: readonly SessionObjectRow[],
): Promise<readonly ObjectProblem[]> {
  const problems: ObjectProblem[] = [];
  const present = objects.filter(({ state }) => state === 'present');
  for (let start = 0; start < present.length; start += attachedAtOnce)
    problems.push(...(await attach(parts, packageId, present.slice(start, start + attachedAtOnce))));
  const received = objects.filter(({ state }) => state === 'received');
  for (let start = 0; start < received.length; start += filesAtOnce)
    problems.push(...(await promote(parts, row, packageId, received.slice(start, start + filesAtOnce))));
  return problems;
}

async function attach(
  { context, access, ingest }: CommitParts,
  packageId: string,
  objects: readonly SessionObjectRow[],
): Promise<readonly ObjectProblem[]> {
  const items = objects.map((object) => ({
    relative_path: object.name,
    content_address: addressOf(object) as AttachItem['content_address'],
    size_bytes: object.size_bytes,
    media_type: object.media_type,
    annotations: {},
  }));
  const claimed = await withClaims(context.database, access, items);
  const attached = await attachFiles(context, access.actor, ingest, packageId, claimed, { records: false });
  return attached.flatMap(({ relative_path: name, result }) => (result === 'missing' ? [{ name, problem: 'gone' as const }] : []));
}

/** Reads and hashes what came, and makes it files of the package. */
async function promote(
  { context, ingest }: CommitParts,
  row: SessionRow,
  packageId: string,
  objects: readonly SessionObjectRow[],
): Promise<readonly ObjectProblem[]> {
  const target = await ingest.openPackage(packageId);
  const problems: ObjectProblem[] = [];
  const staged: Staged[] = [];
  const drafts: Staged['draft'][] = [];
  try {
    await forEachLimited(objects, stagedAtOnce, async (object) => {
      const { name, sha256, size_bytes, media_type, place_id, segments } = object;
      const place = { uploadId: place_id!, backendId: row.backend_id };
      const sole = segments.every(({ shared }) => shared !== true);
      const expected = { sizeBytes: size_bytes, digests: new Map([['sha256', fromHex(sha256)!]]) };
      try {
        const stage = () => context.dataplane.segments.stage({ ...place, segments, sole }, target.backendId, expected);
        const { draft, owned } = await context.takeStored(size_bytes, stage);
        if (!owned) drafts.push(draft);
        staged.push({ draft, relative_path: name, media_type, annotations: {} });
      } catch (error) {
        if (!(await isDamage(context, row, error))) throw error;
        problems.push({ name, problem: 'damaged' });
      }
    });
    if (staged.length > 0 && problems.length === 0) await ingest.commit(target, staged);
    return problems;
  } finally {
    for (const draft of drafts) context.background('draft_left', context.dataplane.discard(draft));
  }
}

/** Whether the bytes are not what was acknowledged, in a store that is known to be the right one. */
async function isDamage({ dataplane }: Context, { backend_id }: SessionRow, error: unknown): Promise<boolean> {
  if (!isArtifactstoreError(error)) return false;
  const isOther = error.code === 'digest_mismatch' || error.code === 'length_mismatch' || error.info?.lost === true;
  if (isOther) await dataplane.ownership(backend_id)?.claim();
  return isOther;
}

function incomplete(id: string, problems: readonly ObjectProblem[]): ArtifactstoreError {
  const [first] = problems;
  const rest = problems.length === 1 ? '' : ` and ${problems.length - 1} more`;
  return new ArtifactstoreError(
    'write_session_incomplete',
    `The write session ${id} lacks "${first!.name}" (${first!.problem})${rest}: send them, and commit it again.`,
    { info: { objects: problems } },
  );
}

function durationOf({ retentionClasses }: Context, { detail }: SessionRow): number | null {
  const found = retentionClasses.find(({ slug }) => slug === detail.retention_class);
  if (found !== undefined) return found.default_duration_seconds;
  throw new ArtifactstoreError('unknown_retention_class', `There is no retention class "${detail.retention_class}" any more.`, {
    field: '/retention_class',
  });
}
