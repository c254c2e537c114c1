import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { Icon } from './icon.tsx';

/**
 * The filters of a list. Where it is narrow they are folded, so that the list is seen first. `inForce`: how many are
 * set.
 */
export function FoldedFilters({ inForce, children }: { readonly inForce: number; readonly children: ComponentChildren }) {
  const isOpen = useSignal(false);
  return (
    <div class={isOpen.value ? 'folded folded-open' : 'folded'}>
      <button
        type="button"
        class="button folded-button"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <Icon name={isOpen.value ? 'opened' : 'closed'} /> {strings.packages.filters}
        {inForce === 0 ? null : ` (${formatCount(inForce)})`}
      </button>
      {children}
    </div>
  );
}
