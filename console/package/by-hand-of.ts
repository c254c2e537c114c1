import { segments } from '../api/call.ts';
import type { Package } from '../api/records.ts';
import type { ByHandParts } from '../parts/by-hand.tsx';
import { strings } from '../strings.ts';
import { takesFiles } from '../upload/add-files.tsx';

const text = strings.package.byHand;

/** How each part of a package's page is asked for without it. `record` is undefined where it is not known yet. */
export function byHandOf(id: string, record: Package | undefined): ByHandParts & { readonly also: readonly ByHandParts[] } {
  const path = `packages/${segments(id)}`;
  const query = { subject_kind: 'package', subject_id: id };
  const digest = record?.manifest_digest ?? undefined;
  return {
    what: text.page,
    command: ['packages', 'show', id],
    request: { path },
    also: [
      { what: text.kept, command: ['retention', 'show', id], request: { path: `${path}/retention` } },
      ...(record !== undefined && takesFiles(record) ? [{ what: text.add, request: { path: `${path}/files/PATH`, file: 'FILE' } }] : []),
      ...(digest === undefined
        ? []
        : [
            { what: text.verify, command: ['verify', id, '--digest', digest] },
            { what: text.manifest, command: ['manifest', id], request: { path: `${path}/manifest.json` } },
          ]),
      { what: text.events, command: ['events', '--subject-kind', 'package', '--subject-id', id], request: { path: 'events', query } },
    ],
  };
}
