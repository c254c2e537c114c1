import { eventsOfTypes } from '../api/events-of-types.ts';
import type { File } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { Time } from '../parts/values.tsx';
import { storage as text } from '../strings/storage.ts';
import { defectOf, failedObjects, failureTypes } from './failed-objects.ts';

/** Which defect the bytes of a file have, where the log says it and is shown to whoever asks; else nothing. */
export function DefectsOf({ file: { content_address: address } }: { readonly file: File }) {
  const read = useResource(`defects ${address}`, (signal) => eventsOfTypes(failureTypes, 0, signal));
  const found = failedObjects(read.value?.items ?? []).filter(({ content_address }) => content_address === address);
  return (
    <>
      {found.map(({ backend_id, reason, created_at }) => {
        const { defect, detail } = defectOf({ reason });
        return (
          <p key={backend_id}>
            {backend_id}: <strong>{text.defects[defect].toLowerCase()}</strong>
            {detail === '' ? null : `, ${detail}`}, {text.foundAt} <Time at={created_at} />
          </p>
        );
      })}
    </>
  );
}
