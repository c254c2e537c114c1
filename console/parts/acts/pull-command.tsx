import type { Package } from '../../api/records.ts';
import { isSignedIn } from '../../session.ts';
import { acts as text } from '../../strings/acts.ts';
import { commandLine } from '../by-hand.tsx';
import { Copy } from '../copy.tsx';
import { directoryName } from './directory-name.ts';

/** The command that fetches a sealed package, ready to be copied. */
export function PullCommand({ record }: { readonly record: Package }) {
  const line = commandLine(['pull', record.id, `./${directoryName(record)}`]);
  return (
    <>
      <div class="command command-open">
        <span class="command-label">{text.pull.label}</span>
        <pre>
          <code>{line}</code>
        </pre>
        <Copy text={line} what={text.pull.what} />
      </div>
      <p class="second">{isSignedIn.value ? text.pull.needsToken : text.pull.needs}</p>
    </>
  );
}
