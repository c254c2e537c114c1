import { listLeft } from '../router.ts';
import { strings } from '../strings.ts';

/** Up to the list of packages: to the one that was left, with its filter and at its row, where there is one. */
export function PackagesLink() {
  const list = listLeft.value;
  return (
    <a href={list?.address ?? 'packages'} data-place={list?.place}>
      {strings.packages.title}
    </a>
  );
}
