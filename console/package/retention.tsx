import { callJson, segments } from '../api/call.ts';
import type { Hold, Package, RetentionRecord } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { type Acting, holdsInForce } from '../parts/acts/acting.tsx';
import { now } from '../parts/clock.ts';
import { Icon } from '../parts/icon.tsx';
import { Section } from '../parts/page.tsx';
import { Some } from '../parts/some.tsx';
import { Loaded } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, ExactMoment, Time } from '../parts/values.tsx';
import { may } from '../session.ts';
import { acts } from '../strings/acts.ts';
import { strings } from '../strings.ts';
import { stepsOf, verdictOf } from './story.ts';

const text = strings.story;

export function useRetention(id: string): Resource<RetentionRecord> {
  return useResource(`retention ${id}`, (signal) => callJson<RetentionRecord>(`packages/${segments(id)}/retention`, { signal }));
}

/** Why it is kept, until when, and everything that was decided about that. */
export function Retention({
  record,
  retention,
  sealedBy,
  acting,
}: {
  readonly record: Package;
  readonly retention: Resource<RetentionRecord>;
  /** Undefined where it is not known. */
  readonly sealedBy: string | undefined;
  readonly acting: Acting;
}) {
  return (
    <Section title={text.title}>
      <Loaded of={retention} rows={4}>
        {(value) => {
          const verdict = verdictOf(value, now.value);
          return (
            <>
              <div class={verdict.kept ? 'verdict verdict-good' : 'verdict verdict-plain'}>
                <Icon name={verdict.kept ? 'seal' : 'box'} />
                <div class="verdict-body">
                  <p class="verdict-title">{verdict.title}</p>
                  {verdict.otherwise === undefined ? null : (
                    <>
                      <HoldsInForce holds={holdsInForce(value)} acting={may('keep', record.producer) ? acting : undefined} />
                      <p>{verdict.otherwise}</p>
                    </>
                  )}
                </div>
              </div>
              <Some of={stepsOf(value, now.value, sealedBy)} last>
                {(steps) => (
                  <ol class="story">
                    {steps.map(({ key, at, title, detail, actor, tense }) => (
                      <li key={key} class={`story-step story-${tense}`}>
                        <span class="story-time">{at === null ? '' : <ExactMoment at={at} />}</span>
                        <span class="story-what">
                          <strong>{title}</strong>
                          {detail === '' ? null : <span> {detail}</span>}
                          {actor === undefined ? null : <span class="quiet"> · {actor}</span>}
                        </span>
                      </li>
                    ))}
                  </ol>
                )}
              </Some>
              {value.history_left_out === 0 ? null : <p class="quiet">{text.leftOut(formatCount(value.history_left_out))}</p>}
              <ReleasedHolds holds={value.holds.filter(({ released_at }) => released_at !== null)} />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

/** With `acting` they can be released. */
function HoldsInForce({ holds, acting }: { readonly holds: readonly Hold[]; readonly acting: Acting | undefined }) {
  return (
    <Some of={holds}>
      {(some) => (
        <ul class="holds" aria-label={text.inForce}>
          {some.map((hold) => (
            <li key={hold.id} class="hold">
              <span>
                <strong>{hold.reason}</strong> · {hold.owner} · <Time at={hold.applied_at} /> ·{' '}
                <Address text={hold.id} what={text.idOf(hold.reason)} />
              </span>
              {acting === undefined ? null : acting.told.value?.undo?.hold === hold.id ? (
                <span class="quiet">{acts.hold.justNow}</span>
              ) : (
                <button
                  type="button"
                  class="button"
                  aria-label={acts.release.buttonOf(hold.reason)}
                  onClick={() => {
                    acting.act.value = { kind: 'release', hold };
                  }}
                >
                  {acts.release.button}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Some>
  );
}

function ReleasedHolds({ holds }: { readonly holds: readonly Hold[] }) {
  if (holds.length === 0) return null;
  return (
    <Some of={holds}>
      {(some) => (
        <Table label={text.released} columns={[text.reason, text.owner, text.applied, text.releasedAt, text.id]}>
          {some.map((hold) => (
            <Row key={hold.id}>
              <td class="wide">{hold.reason}</td>
              <td>{hold.owner}</td>
              <td>
                <Time at={hold.applied_at} />
              </td>
              <td class="wide">
                <Time at={hold.released_at} />{' '}
                <span class="quiet">{[hold.released_by, hold.release_reason].filter(Boolean).join(' · ')}</span>
              </td>
              <td>
                <Address text={hold.id} what={text.idOf(hold.reason)} />
              </td>
            </Row>
          ))}
        </Table>
      )}
    </Some>
  );
}
