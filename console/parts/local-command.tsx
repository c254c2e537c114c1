import { shellWord } from '../format.ts';
import { strings } from '../strings.ts';
import { Copy } from './copy.tsx';

/** A command that works where the server is: on its database and its storage. */
export function LocalCommand({
  command,
  label = strings.byHand.onServer,
}: {
  readonly command: readonly string[];
  readonly label?: string;
}) {
  const line = ['artifactstore', ...command.map(shellWord)].join(' ');
  return (
    <div class="command">
      <span class="command-label">{label}</span>
      <pre>
        <code>{line}</code>
      </pre>
      <Copy text={line} what={label} />
    </div>
  );
}
