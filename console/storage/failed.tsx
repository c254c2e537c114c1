import { eventsOfTypes } from '../api/events-of-types.ts';
import { useResource } from '../api/resource.ts';
import { Section } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, Time } from '../parts/values.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { storage as text } from '../strings/storage.ts';
import { defectOf, failedObjects, failureTypes } from './failed-objects.ts';

/** Which bytes are bad, and which files have them. */
export function Failed() {
  const read = useResource('failed', (signal) => eventsOfTypes(failureTypes, 0, signal));
  return (
    <Section title={text.failed}>
      <Loaded of={read} rows={3}>
        {({ items, complete }) => {
          const failed = failedObjects(items);
          return (
            <>
              {failed.length === 0 ? (
                <p class="quiet">{text.failedNone}</p>
              ) : (
                <Table label={text.failedLabel} columns={[text.address, text.backend, text.reason, text.found, text.files]}>
                  {failed.slice(0, 100).map(({ backend_id, content_address, reason, created_at }) => (
                    <Row key={`${backend_id} ${content_address}`}>
                      <td>
                        <Address text={content_address} what={text.address} />
                      </td>
                      <td>{backend_id}</td>
                      <td class="wide">
                        <Found reason={reason} />
                      </td>
                      <td>
                        <Time at={created_at} />
                      </td>
                      <td>
                        <a href={`search?${new URLSearchParams({ q: content_address })}`}>{text.affected}</a>
                      </td>
                    </Row>
                  ))}
                </Table>
              )}
              {complete ? null : <p class="quiet">{text.failedIncomplete}</p>}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function Found({ reason }: { readonly reason: string }) {
  const { defect, detail } = defectOf({ reason });
  return (
    <>
      <Verdict of="bad" text={text.defects[defect]} />
      {detail === '' ? null : <span class="second">{detail}</span>}
    </>
  );
}
