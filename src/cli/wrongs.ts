import { ArtifactstoreError, type ErrorDetail } from '../kernel/error.ts';
import { counted } from './terminal/size.ts';

/** One thing that is wrong with a file or a configuration. It has nothing of a value. */
export interface Wrong {
  /** From 1. */
  readonly line?: number;
  readonly name?: string | undefined;
  readonly text: string;
}

/** With `lead`, this is no more than a screen has. */
const mostLines = 18;
const mostNumbers = 5;
/** What `info.problems` has at most. */
const mostProblems = 1000;

/**
 * All of it in one `invalid_configuration`: `lead`, and a line for each or for those that are alike. What does not fit
 * on a screen is in `info.problems`, which `--json` shows. `behindName` joins a name and its text.
 */
export function wrongError(lead: string, wrongs: readonly Wrong[], detail: ErrorDetail, behindName = ': '): ArtifactstoreError {
  const lines = groupsOf(wrongs).flatMap((group) => textOf(group, behindName).split('\n'));
  const shown = lines.length <= mostLines ? lines : lines.slice(0, mostLines - 1);
  const more = lines.length - shown.length;
  const rest = more === 0 ? [] : [`and ${counted(more, 'line')} more, which --json has`];
  return new ArtifactstoreError('invalid_configuration', `${lead}:\n${[...shown, ...rest].map((text) => `  ${text}`).join('\n')}`, {
    ...detail,
    info: { problem_count: wrongs.length, problems: wrongs.slice(0, mostProblems), ...detail.info },
  });
}

/** Lines without a name that are wrong in the same way are said together, where the first of them is. */
function groupsOf(wrongs: readonly Wrong[]): readonly (readonly Wrong[])[] {
  return [...Map.groupBy(wrongs, ({ line, name, text }) => (line === undefined || name !== undefined ? Symbol() : text)).values()];
}

function textOf(group: readonly Wrong[], behindName: string): string {
  const [{ line, name, text }] = group as readonly [Wrong, ...Wrong[]];
  if (line === undefined) return name === undefined ? text : `${name}${behindName}${text}`;
  const numbers = group.slice(0, mostNumbers).map((each) => each.line);
  const others = group.length > numbers.length ? ` and ${group.length - numbers.length} more` : '';
  return `line${group.length === 1 ? '' : 's'} ${numbers.join(', ')}${others}${name === undefined ? '' : `, ${name}`}: ${text}`;
}
