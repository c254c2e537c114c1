import { type AddedFiles, type AddFiles, addTo, textOf } from './ingest.ts';
import { readIngest } from './ingest-state.ts';
import { decideEach, inSets, type SetOperation, weightOf } from './sets.ts';
import { readEndingUploads } from './uploads/ending-uploads.ts';

/**
 * Commits files whose bytes are published, or come with them: joins what is live, makes live what was published under
 * the next generation or is held from now on, or says what to publish instead; and ends the upload that they are of.
 * All or nothing.
 */
export const addFiles: SetOperation<AddFiles, AddedFiles> = inSets({
  readsFirst: true,
  weigh: ({ items, moved = [] }) =>
    items.length +
    weightOf(
      moved.reduce((sum, { length }) => sum + length, 0) + items.reduce((sum, { annotations }) => sum + textOf(annotations).length, 0),
    ),
  async run(transaction, inputs) {
    const [read, uploads] = await Promise.all([
      readIngest(transaction.sql, inputs, transaction.now),
      readEndingUploads(
        transaction.sql,
        inputs.flatMap(({ upload }) => upload ?? []),
      ),
    ]);
    let state = read;
    let isCurrent = true;
    const outcomes = await decideEach(transaction, inputs, async (own, input) => {
      const { upload } = input;
      if (upload !== undefined) uploads.require(upload, own.now);
      // A repair changes locations of any package.
      if (!isCurrent) {
        await own.flush();
        state = await readIngest(own.sql, inputs, own.now);
      }
      const { added, repaired } = await addTo(own, state, input, { records: true });
      isCurrent = !repaired;
      if (added.outcome === 'publish') return added;
      const items = added.items.map(({ created, record }) => ({ record: record!(), created }));
      const ended = upload === undefined ? undefined : uploads.end(own, upload, items[0]!);
      return { ...added, items, ...(ended === undefined ? {} : { upload: ended }) };
    });
    await uploads.save(transaction.sql);
    return outcomes;
  },
});
