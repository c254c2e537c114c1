import { parseId } from '../../kernel/id.ts';
import type { RetentionRecord } from '../../registry/REGISTRY.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import type { Output } from '../terminal/output.ts';
import { onOneLine, tellRetention, tellRetentionEvent } from '../terminal/retention-story.ts';
import { counted } from '../terminal/size.ts';

export const retentionShow: Definition = (command, context) => {
  command
    .argument('<package_id>', 'the package')
    .addHelpText(
      'after',
      `
Says first, in one sentence, why the package is kept or will go, and when.

Example:
  $ artifactstore retention show 0198c0de-5a1e-7000-8000-000000000001`,
    )
    .action(async (packageId: string) => {
      parseId(packageId, 'package_id');
      const given = context();
      await using registry = connect(given);
      const record = await registry.retention.show(packageId);
      if (given.output.json) given.output.value(record);
      else await showRetention(given.output, record);
    });
};

/** One screen: the sentence, the facts, the holds, the history. */
export async function showRetention(output: Output, record: RetentionRecord): Promise<void> {
  const { bold, dim } = output.colors;
  output.line(`${bold(tellRetention(record, Date.now()))}.`);
  output.line('');
  const facts = [
    ['package', record.package_id],
    ['status', record.status],
    ['class', record.retention_class],
    ['finalized', record.finalized_at ?? 'no'],
    ['expires', record.expires_at ?? 'never'],
    ...(record.eligible_at === null ? [] : [['found expired', record.eligible_at]]),
  ] as const;
  for (const [name, value] of facts) output.line(`${dim((name ?? '').padEnd(13))}  ${value}`);
  if (record.holds.length > 0) {
    output.line('');
    const rows = record.holds.map((hold) => [hold.id, hold.owner, hold.applied_at, onOneLine(hold.reason), releaseOf(hold)]);
    await output.table(['HOLD', 'OWNER', 'SINCE', 'REASON', 'RELEASED'], rows);
    if (record.holds_left_out > 0) output.note(`not shown: ${counted(record.holds_left_out, 'more hold')}; ${wholeStory(record)}`);
  }
  output.line('');
  const rows = record.history.map((event) => [String(event.sequence), event.created_at, event.actor, tellRetentionEvent(event)]);
  await output.table(['EVENT', 'TIME', 'ACTOR', 'WHAT'], rows);
  if (record.history_left_out > 0) output.note(`not shown: ${counted(record.history_left_out, 'earlier event')}; ${wholeStory(record)}`);
}

function wholeStory({ package_id }: RetentionRecord): string {
  return `see artifactstore events --subject-kind package --subject-id ${package_id}`;
}

function releaseOf({ released_at, released_by, release_reason }: RetentionRecord['holds'][number]): string {
  if (released_at === null) return 'no';
  return `${released_at} by ${released_by}${release_reason === null ? '' : `: ${onOneLine(release_reason)}`}`;
}
