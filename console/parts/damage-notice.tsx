import type { ComponentChildren } from 'preact';
import { strings } from '../strings.ts';
import { Icon } from './icon.tsx';

/** Said before anything else of what cannot be had, with what mends it. */
export function DamageNotice({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="verdict verdict-bad">
      <Icon name="warning" />
      <div class="verdict-body">
        <p class="verdict-title">{title}</p>
        {children}
        <p>{strings.file.damagedDetail}</p>
        <p>
          <a href="storage">{strings.overview.whatToDo}</a>
        </p>
      </div>
    </div>
  );
}
