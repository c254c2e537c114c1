import { apiUrl } from '../api/call.ts';
import { shellWord } from '../format.ts';
import { strings } from '../strings.ts';
import { Copy } from './copy.tsx';

export interface ByHandParts {
  /** What it does, where a page has several. */
  readonly what?: string;
  /** The words of a command after `artifactstore`. */
  readonly command?: readonly string[];
  /** A request that does the same. `body` is JSON. */
  readonly request?: {
    readonly method?: string;
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    /** A file of this computer that is sent as it is. */
    readonly file?: string;
  };
}

/** What a person would type to do or see the same without this console; once a page, whatever is on it. */
export function ByHand({ also = [], ...first }: ByHandParts & { readonly also?: readonly ByHandParts[] }) {
  return (
    <details class="by-hand">
      <summary>{strings.byHand.summary}</summary>
      {[first, ...also].map(({ what, command, request }, index) => (
        <div key={what ?? index} class="by-hand-part">
          {what === undefined ? null : <h3>{what}</h3>}
          {command === undefined ? null : <Line label={strings.byHand.commandLine} text={commandLine(command)} />}
          {request === undefined ? null : <Line label={strings.byHand.api} text={curl(request)} />}
        </div>
      ))}
    </details>
  );
}

function Line({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div class="command">
      <span class="command-label">{label}</span>
      <pre>
        <code>{text}</code>
      </pre>
      <Copy text={text} what={label} />
    </div>
  );
}

export function commandLine(words: readonly string[]): string {
  return ['artifactstore', ...words.map(shellWord), '--api-url', shellWord(apiUrl('').replace(/\/$/, ''))].join(' ');
}

function curl({ method, path, query, body, file }: NonNullable<ByHandParts['request']>): string {
  const words = ['curl'];
  if (method !== undefined && method !== 'GET') words.push('-X', method);
  words.push('-H', '"Authorization: Bearer $ARTIFACTSTORE_API_TOKEN"');
  if (body !== undefined) words.push('-H', "'Content-Type: application/json'", '-d', shellWord(JSON.stringify(body)));
  if (file !== undefined) words.push('-T', shellWord(file));
  words.push(shellWord(apiUrl(path, query)));
  return words.join(' ');
}
