import { strings } from '../strings.ts';
import { Icon } from './icon.tsx';

/** Said before anything else of a file that cannot be had. */
export function DamagedFile() {
  const text = strings.file;
  return (
    <div class="verdict verdict-bad">
      <Icon name="warning" />
      <div class="verdict-body">
        <p class="verdict-title">{text.damaged}</p>
        <p>{text.damagedDetail}</p>
        <p>
          <a href="storage">{strings.overview.whatToDo}</a>
        </p>
      </div>
    </div>
  );
}
