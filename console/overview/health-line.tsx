import type { Health, Usage } from '../api/records.ts';
import type { Resource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { now } from '../parts/clock.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Time } from '../parts/values.tsx';
import { backupDays, dueBackup, dueVerifications, verificationDays } from '../storage/not-known.ts';
import { storage } from '../strings/storage.ts';
import { strings } from '../strings.ts';

const text = strings.overview;

/**
 * Whether all is well, as far as that is known: good only where every byte was verified and a backup made, and not too
 * long ago.
 * `usage` is undefined where it is not shown to whoever asks.
 */
export function HealthLine({ health, usage }: { readonly health: Health; readonly usage: Resource<Usage> | undefined }) {
  const bad = faultsOf(health);
  if (health.status !== 'ok' || bad.length > 0) return <Line as="bad" title={text.degraded} lines={bad} advised />;
  if (usage?.value === undefined) {
    const why = usage === undefined ? text.notShown : usage.problem === undefined ? text.counting : text.notCounted;
    return <Line as="plain" title={text.answers} lines={[why]} />;
  }
  const backup = dueBackup(usage.value, now.value);
  const unknown = [
    ...health.backends.flatMap(({ backend_id, keys_unread_seconds: unread }) =>
      unread === undefined ? [] : [`${backend_id}: ${storage.keysUnread(formatCount(Math.ceil(unread / 60)))}`],
    ),
    ...dueVerifications(usage.value, now.value).map(({ backend_id, days }) =>
      days === undefined ? text.neverVerified(backend_id) : text.verifiedLongAgo(backend_id, formatCount(days)),
    ),
    ...(backup === undefined ? [] : [backup.days === undefined ? text.noBackup : text.backedUpLongAgo(formatCount(backup.days))]),
  ];
  if (unknown.length > 0) return <Line as="part" title={text.partlyKnown} lines={unknown} advised />;
  return <Line as="good" title={text.ok} lines={[<Since key="since" usage={usage.value} />]} />;
}

/** When that was so: of several backends, where it is the longest ago. */
function Since({ usage: { backends, last_backup } }: { readonly usage: Usage }) {
  const verified = backends.flatMap(({ last_verification: run, stored_objects }) =>
    run === null || stored_objects === 0 ? [] : [run.finished_at],
  );
  const [oldest] = verified.toSorted();
  if (oldest === undefined || last_backup === null) return <>{text.nothingStored}</>;
  return (
    <>
      {text.verificationEnded} <Time at={oldest} />, {text.backupEnded} <Time at={last_backup.finished_at} />. {text.laterOnes}{' '}
      {text.namedFrom(formatCount(verificationDays), formatCount(backupDays))}
    </>
  );
}

function faultsOf({ db, clock, backends, access_file: access }: Health): readonly string[] {
  return [
    ...(db.healthy ? [] : [`${text.database}: ${db.detail}`]),
    ...(clock.healthy ? [] : [`${text.clock}: ${clock.detail}`]),
    ...backends.flatMap(({ backend_id, healthy, full, detail, failed_locations: failed }) => [
      ...(healthy ? [] : [`${backend_id}: ${full === true ? text.full : detail}`]),
      ...(failed === 0 ? [] : [`${backend_id}: ${text.failedLocations(failed, formatCount(failed))}`]),
    ]),
    ...(access === undefined || access.healthy ? [] : [`${text.accessFile}: ${access.detail}`]),
    ...(access?.issuers ?? []).flatMap(({ issuer, healthy, detail }) => (healthy ? [] : [`${issuer}: ${detail}`])),
  ];
}

const icons: Readonly<Record<'good' | 'plain' | 'part' | 'bad', IconName>> = { good: 'done', plain: 'done', part: 'part', bad: 'warning' };

function Line({
  as,
  title,
  lines,
  advised = false,
}: {
  readonly as: keyof typeof icons;
  readonly title: string;
  readonly lines: readonly (string | ReturnType<typeof Since>)[];
  /** Whether the page of the storage says what to do. */
  readonly advised?: boolean;
}) {
  return (
    <div class={`verdict verdict-${as}`}>
      <Icon name={icons[as]} />
      <div>
        <p class="verdict-title">{title}</p>
        {lines.map((line, index) => (
          <p key={index}>{line}</p>
        ))}
        {advised ? (
          <p>
            <a href="storage">{text.whatToDo}</a>
          </p>
        ) : null}
      </div>
    </div>
  );
}
