import type { Health, Usage } from '../api/records.ts';
import { Icon } from '../parts/icon.tsx';
import { LocalCommand } from '../parts/local-command.tsx';
import { storage as text } from '../strings/storage.ts';

interface Advice {
  readonly says: string;
  /** A command on the machine of the server; none where only a person can help. */
  readonly command?: readonly string[];
  /** Not wrong, but worth doing. */
  readonly mild?: true;
}

/** What is wrong, and what mends it: the bad before the mild. */
function adviceOn(health: Health, usage: Usage | undefined): readonly Advice[] {
  const { db, clock, backends } = health;
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
    ...(usage?.backends ?? [])
      .filter(({ last_verification, stored_objects }) => last_verification === null && stored_objects > 0)
      .map(
        ({ backend_id }): Advice => ({
          says: text.doVerify(backend_id),
          command: ['storage', 'verify', '--backend', backend_id],
          mild: true,
        }),
      ),
  ];
}

export function WhatToDo({ health, usage }: { readonly health: Health; readonly usage: Usage | undefined }) {
  const advice = adviceOn(health, usage);
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
