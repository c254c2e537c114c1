import { callJson } from '../api/call.ts';
import type { Health, Usage } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { LocalCommand } from '../parts/local-command.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Failure, Loaded } from '../parts/states.tsx';
import { may } from '../session.ts';
import { Backends } from '../storage/backends.tsx';
import { NextCollection } from '../storage/collection.tsx';
import { Failed } from '../storage/failed.tsx';
import { WhatToDo } from '../storage/what-to-do.tsx';
import { storage as text } from '../strings/storage.ts';

export default function Storage() {
  const observes = may('observe');
  const health = useResource('health', (signal) => callJson<Health>('health', { signal }));
  return (
    <Page title={text.title}>
      <p class="quiet">{text.lead}</p>
      {observes ? (
        <Whole health={health} />
      ) : (
        <Loaded of={health} rows={4}>
          {(value) => (
            <>
              <Backends health={value} usage={undefined} />
              <Empty title={text.forbidden} icon="forbidden" />
            </>
          )}
        </Loaded>
      )}
      {health.problem !== undefined && health.value !== undefined ? <Failure problem={health.problem} retry={health.reload} /> : null}
      <ByHand command={['health']} request={{ path: 'health' }} />
    </Page>
  );
}

function Whole({ health }: { readonly health: Resource<Health> }) {
  const usage = useResource('usage', (signal) => callJson<Usage>('usage', { signal }));
  return (
    <Loaded of={health} rows={8}>
      {(value) => <Known health={value} usage={usage} />}
    </Loaded>
  );
}

function Known({ health, usage }: { readonly health: Health; readonly usage: Resource<Usage> }) {
  return (
    <>
      <WhatToDo health={health} usage={usage} />
      <Section title={text.backends}>
        <Backends health={health} usage={usage.value} />
      </Section>
      {health.backends.some(({ failed_locations: failed }) => failed > 0) ? <Failed /> : null}
      <Loaded of={usage} rows={6}>
        {(value) => <NextCollection usage={value} />}
      </Loaded>
      <Certificate backends={health.backends} />
    </>
  );
}

/** Of buckets alone. A directory tells its room, which no bucket does, unless nothing was ever written there. */
function Certificate({ backends }: { readonly backends: Health['backends'] }) {
  const others = backends.filter(({ backend_id, free_bytes: free }) => backend_id !== 'local' && free === null);
  const directories = others.length === 0;
  const buckets = others.filter(({ healthy }) => healthy);
  return (
    <Section title={text.certificate}>
      <p class="quiet">{directories ? text.certificateDirectories : text.certificateDetail}</p>
      {buckets.map(({ backend_id }) => (
        <LocalCommand key={backend_id} command={['storage', 'certify', ...(backends.length === 1 ? [] : ['--backend', backend_id])]} />
      ))}
    </Section>
  );
}
