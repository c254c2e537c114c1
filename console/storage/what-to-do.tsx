import type { Health, Usage } from '../api/records.ts';
import type { Resource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { now } from '../parts/clock.ts';
import { Icon } from '../parts/icon.tsx';
import { LocalCommand } from '../parts/local-command.tsx';
import { storage as text } from '../strings/storage.ts';
import { dueBackup, dueVerifications } from './not-known.ts';

interface Advice {
  readonly says: string;
  /** A command on the machine of the server; none where only a person can help. */
  readonly command?: readonly string[];
  /** Not wrong, but worth doing. */
  readonly mild?: true;
}

/** What is wrong, and what mends it: the bad before the mild. */
function adviceOn(health: Health, usage: Usage | undefined): readonly Advice[] {
  const { db, clock, backends, access_file: access } = health;
  const backup = usage === undefined ? undefined : dueBackup(usage, now.value);
  return [
    ...(db.healthy ? [] : [{ says: text.doDatabase(db.detail) }]),
    ...(clock.healthy ? [] : [{ says: text.doClock(clock.detail) }]),
    ...backends.flatMap(({ backend_id, healthy, full, detail, failed_locations: failed }): readonly Advice[] => [
      ...(healthy
        ? []
        : full === true
          ? [{ says: text.doFull(backend_id), command: ['retention', 'gc', '--dry-run'] }]
          : [{ says: text.doUnavailable(backend_id, detail), command: ['config', 'check'] }]),
      ...(failed === 0 ? [] : [{ says: text.doBad(backend_id), command: ['storage', 'verify', '--backend', backend_id] }]),
    ]),
    ...(access === undefined || access.healthy ? [] : [{ says: text.doAccessFile(access.detail), command: ['config', 'check'] }]),
    ...(access?.issuers ?? []).flatMap(({ issuer, healthy, detail }) => (healthy ? [] : [{ says: text.doIssuer(issuer, detail) }])),
    ...(usage === undefined ? [] : dueVerifications(usage, now.value)).map(
      ({ backend_id, days }): Advice => ({
        says: days === undefined ? text.doVerify(backend_id) : text.doVerifyAgain(backend_id, formatCount(days)),
        command: ['storage', 'verify', '--backend', backend_id],
        mild: true,
      }),
    ),
    ...(backup === undefined
      ? []
      : [
          {
            says: backup.days === undefined ? text.doBackup : text.doBackupAgain(formatCount(backup.days)),
            command: ['backup', 'DIRECTORY'],
            mild: true,
          } satisfies Advice,
        ]),
  ];
}

export function WhatToDo({ health, usage }: { readonly health: Health; readonly usage: Resource<Usage> }) {
  const advice = adviceOn(health, usage.value);
  if (advice.length === 0 && usage.value === undefined)
    return (
      <div class="verdict verdict-plain">
        <Icon name="done" />
        <p class="verdict-title">{usage.problem === undefined ? text.askingForMore : text.moreNotKnown}</p>
      </div>
    );
  if (advice.length === 0)
    return (
      <div class="verdict verdict-good">
        <Icon name="done" />
        <p class="verdict-title">{text.nothingToDo}</p>
      </div>
    );
  return (
    <>
      {advice.map(({ says, command, mild }) => (
        <div key={says} class={`verdict ${mild === true ? 'verdict-part' : 'verdict-bad'}`}>
          <Icon name={mild === true ? 'part' : 'warning'} />
          <div class="verdict-body">
            <p>{says}</p>
            {command === undefined ? null : <LocalCommand command={command} />}
          </div>
        </div>
      ))}
    </>
  );
}
