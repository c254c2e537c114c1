import type { Draft } from '../dataplane/DATAPLANE.ts';
import { objectKey } from '../kernel/content/key.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { snakeCase } from '../kernel/format/letter-case.ts';
import { forEachLimited } from '../runtime/limit.ts';
import type { FileEntry } from './checked-file.ts';
import type { Context } from './context.ts';
import { burnPublished, removeDead } from './objects/remove-dead.ts';
import { inRounds, maximumRounds } from './objects/rounds.ts';
import type { AddedFiles, IngestItem, PublishNeed } from './operations/ingest.ts';
import type { EndingUpload } from './operations/uploads/ending-uploads.ts';
import { smallBytes } from './small-body.ts';

export interface FillablePackage {
  readonly id: string;
  readonly producer: string;
  /** Where its bytes go. */
  readonly backendId: string;
  /** It takes just what it holds. */
  readonly sealed: boolean;
}

/** A file whose bytes lie in a draft, or in memory, to be committed with the log. */
export interface Staged extends FileEntry {
  readonly draft: Draft;
}

/** Publishes and commits drafts, as often as the state of their objects asks for. */
export type Commit = (
  target: FillablePackage,
  staged: readonly Staged[],
  more?: {
    /** The generation under which the one draft is published already. */
    readonly straight?: PublishNeed | undefined;
    /** The upload that ends with the one file. */
    readonly upload?: EndingUpload;
  },
) => Promise<Extract<AddedFiles, { readonly outcome: 'added' }>>;

export const parallelSteps = 64;

export function createCommit(context: Context, actor: string): Commit {
  const { database, dataplane } = context;

  return async function commit({ id: packageId, producer }, staged, { straight, upload } = {}) {
    const ending = upload === undefined ? {} : { upload };
    const quota = context.quotaOf(producer) ?? null;
    const published = new Map<string, { readonly need: PublishNeed; readonly generations: number[] }>();
    if (straight !== undefined)
      published.set(objectName(straight.backend_id, straight.content_address), { need: straight, generations: [straight.generation] });
    const inMemory = staged.flatMap(({ draft: { bytes } }) => (bytes === undefined ? [] : [bytes]));
    const allInMemory = inMemory.length === staged.length;
    let held = 0;
    const rows = staged.map(({ draft, ...entry }) => {
      const { backendId, contentAddress, digestAlgorithm, digestPrimary, digestSha256, sizeBytes, blockDigests = null } = draft;
      return {
        ...entry,
        ...snakeCase({ backendId, contentAddress, digestAlgorithm, digestPrimary, digestSha256, sizeBytes, blockDigests }),
        ...(draft.bytes === undefined ? {} : { held: held++ }),
      };
    });
    const items = () =>
      rows.map(
        (row): IngestItem => ({
          ...row,
          generation: published.get(objectName(row.backend_id, row.content_address))?.generations.at(-1) ?? null,
        }),
      );
    const drafts = new Map(staged.map(({ draft }) => [objectName(draft.backendId, draft.contentAddress), draft]));
    try {
      let needs = allInMemory ? [] : await database.read('file.plan', { actor, package_id: packageId, quota, items: items() });
      const added = await inRounds(async () => {
        await forEachLimited(needs, parallelSteps, async (need) => {
          const name = objectName(need.backend_id, need.content_address);
          const record = published.get(name) ?? { need, generations: [] };
          published.set(name, record);
          record.generations.push(need.generation);
          const publish = () => dataplane.publish(drafts.get(name)!, objectKey(need.content_address, need.generation));
          await (drafts.get(name)!.sizeBytes > smallBytes ? publish() : context.takeFile(need.backend_id, publish));
        });
        // What is given away is gone; with nothing to publish there is one round.
        const moved = allInMemory ? inMemory : inMemory.map((bytes) => bytes.slice());
        const answer = await database.write('file.add', { actor, package_id: packageId, quota, items: items(), moved, ...ending });
        if (answer.outcome === 'added') return answer;
        needs = answer.needs;
        return undefined;
      });
      if (added === undefined)
        throw new ArtifactstoreError('internal', `An ingest into package ${packageId} was overtaken ${maximumRounds} times; try again.`);
      const superseded = [...published.values()].flatMap(({ need, generations }) =>
        generations.slice(0, -1).map((generation) => ({
          backend_id: need.backend_id,
          object_key: objectKey(need.content_address, generation),
        })),
      );
      context.background('dead_object_left', removeDead(context, [...added.dead, ...superseded]));
      context.settler.wake(added.held);
      return added;
    } catch (error) {
      if (published.size > 0)
        context.background(
          'copies_left',
          burnPublished(
            context,
            actor,
            [...published.values()].map(({ need, generations }) => ({ ...need, generations })),
          ),
        );
      throw error;
    }
  };
}

function objectName(backendId: string, contentAddress: string): string {
  return `${backendId} ${contentAddress}`;
}
