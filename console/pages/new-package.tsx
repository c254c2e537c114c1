import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { callJson } from '../api/call.ts';
import type { Problem } from '../api/problem.ts';
import type { Page as ListPage, MetadataSchema, Package, ProducerRecord, RetentionClassRecord } from '../api/records.ts';
import { asProblem, useResource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { Refusal } from '../parts/acts/act-dialog.tsx';
import { MetadataFields } from '../parts/acts/metadata-fields.tsx';
import { type MetadataLine, metadataOptions, readMetadata } from '../parts/acts/metadata-lines.ts';
import { type PackageFaults, packageFaults } from '../parts/acts/package-faults.ts';
import { TextField } from '../parts/acts/text-field.tsx';
import { announce } from '../parts/announce.tsx';
import { ByHand } from '../parts/by-hand.tsx';
import { PackagesLink } from '../parts/packages-link.tsx';
import { Page } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { navigate } from '../router.ts';
import { may, maySomewhere } from '../session.ts';
import { newPackage as text } from '../strings/new-package.ts';

const listed = 200;
/** Fields that tell what is wrong with them. */
const fields = ['name', 'producer', 'subject', 'retention_class', 'metadata_schema_slug'];

export default function NewPackage() {
  return (
    <Page title={text.title} above={<PackagesLink />}>
      {maySomewhere('write') ? <Form /> : <Empty title={text.forbidden} icon="forbidden" />}
    </Page>
  );
}

function Form() {
  const producers = useResource('producers', (signal) =>
    callJson<ListPage<ProducerRecord>>('producers', { query: { limit: listed }, signal }),
  );
  const classes = useResource('retention-classes', (signal) =>
    callJson<{ readonly items: readonly RetentionClassRecord[] }>('retention-classes', { signal }),
  );
  const schemas = useResource('metadata-schemas', (signal) =>
    callJson<ListPage<MetadataSchema>>('metadata-schemas', { query: { limit: listed }, signal }),
  );
  const typed = useSignal({ name: '', producer: '', subject: '', retention_class: 'raw-evidence', metadata_schema_slug: '' });
  const lines = useSignal<readonly MetadataLine[]>([{ key: '', value: '' }]);
  const problem = useSignal<Problem | undefined>(undefined);
  /** Nobody is told of faults before they have said that they are done. */
  const isTried = useSignal(false);
  const running = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  // Pressed twice, or again after an answer was lost, it is the same package.
  const key = useSignal({ of: '', key: '' });

  const { name, producer, subject, retention_class, metadata_schema_slug } = typed.value;
  const read = readMetadata(lines.value);
  const body = {
    name,
    producer,
    subject: subject === '' ? name : subject,
    retention_class,
    metadata: 'metadata' in read ? read.metadata : {},
    ...(metadata_schema_slug === '' ? {} : { metadata_schema_slug }),
  };
  const faults: PackageFaults = packageFaults(typed.value, lines.value);
  const focusFirst = (): void => {
    setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const create = async (): Promise<void> => {
    if (running.peek()) return;
    problem.value = undefined;
    isTried.value = true;
    if (Object.keys(faults).length > 0) return focusFirst();
    running.value = true;
    try {
      const of = JSON.stringify(body);
      if (key.peek().of !== of) key.value = { of, key: `console-${randomHex()}` };
      const made = await callJson<Package>('packages', { method: 'POST', json: body, headers: { 'idempotency-key': key.peek().key } });
      announce(text.after);
      navigate(`packages/${made.id}`, { replace: true });
    } catch (error) {
      problem.value = asProblem(error);
      focusFirst();
    } finally {
      running.value = false;
    }
  };

  const { value: found } = problem;
  const wrongField = found?.field?.replace(/^\//, '').split('/')[0];
  const told = (field: string): string | undefined =>
    (isTried.value ? faults[field as keyof PackageFaults] : undefined) ?? (wrongField === field ? found?.message : undefined);
  const atField = wrongField !== undefined && (fields.includes(wrongField) || wrongField === 'metadata');
  const set = (field: keyof typeof typed.value) => (value: string) => {
    typed.value = { ...typed.peek(), [field]: value };
  };
  const notMine = producer !== '' && !may('write', producer);
  const writable = (producers.value?.items ?? []).map((each) => each.producer).filter((each) => may('write', each));
  return (
    <>
      <p class="quiet">{text.lead}</p>
      <form
        ref={form}
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextField name="name" label={text.name} hint={text.nameHint} problem={told('name')} value={name} input={set('name')} required />
        <TextField
          name="producer"
          label={text.producer}
          hint={text.producerHint}
          problem={notMine ? text.mayNot(producer) : told('producer')}
          value={producer}
          input={set('producer')}
          choices={writable}
          required
        />
        <TextField
          name="subject"
          label={text.subject}
          hint={text.subjectHint}
          problem={told('subject')}
          value={subject}
          input={set('subject')}
        />
        <TextField
          name="retention_class"
          label={text.retentionClass}
          hint={keptFor(classes.value?.items.find(({ slug }) => slug === retention_class))}
          problem={told('retention_class')}
          value={retention_class}
          input={set('retention_class')}
        >
          <select
            id="field-retention_class"
            value={retention_class}
            onChange={(event) => set('retention_class')(event.currentTarget.value)}
            aria-describedby="hint-retention_class problem-retention_class"
            aria-invalid={told('retention_class') !== undefined}
          >
            {(classes.value?.items ?? [{ slug: retention_class }]).map(({ slug }) => (
              <option key={slug} value={slug}>
                {slug}
              </option>
            ))}
          </select>
        </TextField>
        <MetadataFields lines={lines} problem={told('metadata')} wrongLine={'wrong' in read ? read.line : undefined} />
        {(schemas.value?.items.length ?? 0) === 0 ? null : (
          <TextField
            name="metadata_schema_slug"
            label={text.schema}
            problem={told('metadata_schema_slug')}
            value={metadata_schema_slug}
            input={set('metadata_schema_slug')}
          >
            <select
              id="field-metadata_schema_slug"
              value={metadata_schema_slug}
              onChange={(event) => set('metadata_schema_slug')(event.currentTarget.value)}
              aria-describedby="problem-metadata_schema_slug"
              aria-invalid={told('metadata_schema_slug') !== undefined}
            >
              <option value="">{text.noSchema}</option>
              {(schemas.value?.items ?? []).map(({ slug }) => (
                <option key={slug} value={slug}>
                  {slug}
                </option>
              ))}
            </select>
          </TextField>
        )}
        {found === undefined || atField ? null : <Refusal problem={found} />}
        <div class="buttons">
          {notMine ? null : (
            <button type="submit" class="button button-main" disabled={running.value}>
              {running.value ? text.running : text.submit}
            </button>
          )}
          <span class="quiet">{text.after}</span>
        </div>
      </form>
      <ByHand
        command={[
          'push',
          './DIRECTORY',
          '--name',
          name,
          '--producer',
          producer,
          ...(subject === '' ? [] : ['--subject', subject]),
          '--retention-class',
          retention_class,
          ...metadataOptions(lines.value),
          ...(metadata_schema_slug === '' ? [] : ['--metadata-schema', metadata_schema_slug]),
        ]}
        request={{ method: 'POST', path: 'packages', body }}
      />
    </>
  );
}

function keptFor(found: RetentionClassRecord | undefined): string | undefined {
  if (found === undefined) return undefined;
  const { default_duration_seconds: seconds } = found;
  if (seconds === null) return text.keptForever;
  const days = seconds / 86_400;
  return text.keptFor(
    days < 1 ? text.hours(formatCount(Math.round(seconds / 3_600))) : days < 2 ? text.day : text.days(formatCount(Math.floor(days))),
  );
}

/** `crypto.randomUUID` is there on HTTPS alone. */
function randomHex(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
