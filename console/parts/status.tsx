import type { Package } from '../api/records.ts';
import { strings } from '../strings.ts';

/** Never by its colour alone. */
export function Status({ status }: { readonly status: Package['status'] }) {
  return (
    <span class={`status status-${status}`} title={strings.statusMeaning[status]}>
      {strings.status[status]}
    </span>
  );
}
