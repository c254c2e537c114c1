import { callJson } from '../api/call.ts';
import type { WhoAmI } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { isOfRegistry, patternText, type RightShown, rightsShown } from '../rights.ts';
import { navigate, place } from '../router.ts';
import { access as text } from '../strings/access.ts';

export default function Access() {
  const who = useResource('whoami', (signal) => callJson<WhoAmI>('whoami', { signal }));
  return (
    <Page title={text.title}>
      <Loaded of={who} rows={8}>
        {(value) => <Shown who={value} />}
      </Loaded>
      <ByHand command={['whoami']} request={{ path: 'whoami' }} />
    </Page>
  );
}

function Shown({ who: { actor, by, expires_at, grants } }: { readonly who: WhoAmI }) {
  const producer = place.value.query.get('producer') ?? '';
  return (
    <>
      <Section title={text.who}>
        <Facts
          items={[
            [text.actor, <strong key="a">{actor}</strong>],
            [text.shown, by ?? text.noToken],
            [text.ends, expires_at === null ? text.endsNever : <Time key="e" at={expires_at} />],
          ]}
        />
      </Section>
      <Section title={text.rights}>
        <Rights label={text.rightsLabel} shown={rightsShown(grants)} />
      </Section>
      <Section title={text.check}>
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            const asked = String(new FormData(event.currentTarget).get('producer') ?? '').trim();
            navigate(asked === '' ? 'access' : `access?${new URLSearchParams({ producer: asked })}`, { replace: true });
          }}
        >
          <label class="field">
            <span>{text.producer}</span>
            <input
              key={producer}
              name="producer"
              defaultValue={producer}
              placeholder={text.producerHint}
              maxLength={256}
              autocomplete="off"
            />
          </label>
          <div class="buttons">
            <button type="submit" class="button">
              {text.submit}
            </button>
          </div>
        </form>
        {producer === '' ? null : (
          <Rights label={text.checkLabel(producer)} shown={rightsShown(grants, producer).filter(({ right }) => !isOfRegistry(right))} />
        )}
      </Section>
      <Section title={text.grants}>
        {grants.length === 0 ? (
          <Empty title={text.noGrants} icon="forbidden" />
        ) : (
          <Table label={text.grantsLabel} columns={[text.role, text.gives, text.producers]}>
            {grants.map((grant, index) => (
              <Row key={index}>
                <td>{grant.role}</td>
                <td>{text.roleMeaning[grant.role]}</td>
                <td class="wide">
                  <Patterns patterns={grant.producers.map(patternText)} />
                </td>
              </Row>
            ))}
          </Table>
        )}
      </Section>
    </>
  );
}

function Rights({ label, shown }: { readonly label: string; readonly shown: readonly RightShown[] }) {
  return (
    <Table label={label} columns={[text.right, text.allowed, text.forWhom, text.why]}>
      {shown.map((each) => (
        <Row key={each.right}>
          <td class="wide">
            {text.rightName[each.right]}
            <span class="second">{text.rightMeaning[each.right]}</span>
          </td>
          <td>
            <Verdict
              of={each.verdict === 'yes' ? 'good' : each.verdict === 'no' ? 'none' : 'part'}
              text={each.verdict === 'yes' ? text.yes : each.verdict === 'no' ? text.no : text.inPart}
            />
          </td>
          <td class="wide">
            {each.verdict === 'no' ? <span class="quiet">–</span> : <Patterns patterns={each.patterns.map(patternText)} />}
          </td>
          <td class="wide">{reason(each)}</td>
        </Row>
      ))}
    </Table>
  );
}

function reason({ right, verdict, roles, givenBy }: RightShown): string {
  if (verdict !== 'no') return text.grantedBy(roles.join(', '));
  if (isOfRegistry(right) && roles.length > 0) return text.notForAll;
  return `${text.notGranted}. ${text.askFor(givenBy.join(', '))}`;
}

/** Some grants name thousands. */
const shownPatterns = 50;

function Patterns({ patterns }: { readonly patterns: readonly string[] }) {
  const different = [...new Set(patterns)];
  if (different.some((pattern) => /^\*+$/.test(pattern))) return <>{text.everyProducer}</>;
  return (
    <>
      {different.slice(0, shownPatterns).map((pattern, index) => (
        <span key={pattern}>
          {index === 0 ? '' : ', '}
          <code>{pattern}</code>
        </span>
      ))}
      {different.length > shownPatterns ? ` ${text.morePatterns(different.length - shownPatterns)}` : ''}
    </>
  );
}
