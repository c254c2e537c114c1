import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, Package } from 'artifactstore';
import type { Work } from '../tools.ts';
import { producer } from './producer.ts';
import { connectStateHub, type ProgressEvent, type StateHub } from './state-hub.ts';

/**
 * Links are remembered in the registry: a package of this producer, sealed when State Hub has the link, holds what was
 * sent. While it is open, somebody is sending: opening it is what keeps two from sending at once.
 */
export const receiptProducer = 'guide-board-link';

/** Longer than all the tries of a sender that lives: one that has not ended by then was stopped. */
const patienceMilliseconds = 60_000;

/** Tells State Hub of a sealed run, once for each manifest. `found` when it knew already. */
export async function linkRun(work: Work, packageRecord: Package, patience: number = patienceMilliseconds): Promise<'sent' | 'found'> {
  const { library } = work.tools;
  const { stateHub } = work.context.config;
  if (stateHub === undefined)
    throw new library.ArtifactstoreError('invalid_configuration', 'There is no State Hub to tell: STATE_HUB_URL is not set.', {
      field: 'STATE_HUB_URL',
      info: { hint: 'set STATE_HUB_URL, STATE_HUB_WORKSTREAM_ID and STATE_HUB_TASK_ID' },
    });
  const hub = connectStateHub(library, stateHub.url, work.signal);
  const event = linkEvent(work, packageRecord);
  if (await isRemembered(work, hub, event)) return 'found';
  // A State Hub that is unavailable is noticed before anything is opened for it.
  if (await hub.has(event)) return 'found';
  const receipt = await claim(work, hub, packageRecord, event, patience);
  if (receipt === undefined) return 'found';
  let outcome: 'sent' | 'found';
  try {
    outcome = await hub.publish(event, `artifact_link:${event.detail.manifest_digest}`);
  } catch (error) {
    await work.registry.packages.abandon(receipt.id).catch(() => undefined);
    throw error;
  }
  await remember(work, receipt, event).catch((error: Error) => {
    work.context.output.note(`warning: State Hub has the link, and the registry could not remember that: ${error.message}`);
  });
  return outcome;
}

function linkEvent({ context, tools: { library } }: Work, record: Package): ProgressEvent {
  const { metadata, manifest_digest: manifestDigest } = record;
  if (record.producer !== producer || typeof metadata.run_id !== 'string')
    throw new library.ArtifactstoreError(
      'invalid_value',
      `Package ${record.id} is no run of guide-board; its producer is "${record.producer}".`,
      {
        field: 'package_id',
      },
    );
  if (record.status !== 'finalized' || manifestDigest === null)
    throw new library.ArtifactstoreError(
      'package_not_finalized',
      `Package ${record.id} is ${record.status}: there is nothing to link to.`,
      {
        info: { hint: 'ingest the run again' },
      },
    );
  const { stateHub, apiUrl } = context.config;
  return {
    event_type: 'artifact_link',
    author: 'artifact-store',
    workstream_id: stateHub?.workstreamId ?? null,
    task_id: stateHub?.taskId ?? null,
    summary: `The evidence of ${metadata.run_id} (${String(metadata.result_status)}) is kept as package ${record.id}.`,
    detail: {
      producer,
      artifact_store_api_url: apiUrl,
      run_dir: metadata.run_dir ?? null,
      run_id: metadata.run_id,
      target_profile_ref: metadata.target_profile_ref ?? null,
      package_id: record.id,
      manifest_digest: manifestDigest,
      retention_class: record.retention_class,
      counts: { files: record.file_count, evidence: metadata.evidence_counts ?? {}, findings: metadata.finding_counts ?? {} } as JsonObject,
    },
  };
}

/** An open receipt that is ours alone, or undefined when there is a sealed one. */
async function claim(work: Work, hub: StateHub, record: Package, event: ProgressEvent, patience: number): Promise<Package | undefined> {
  const { registry, signal, context } = work;
  const digest = event.detail.manifest_digest;
  const start = Date.now();
  for (let round = 0; ; round += 1) {
    const metadata = receiptMetadata(hub, event);
    const [newest] = (await registry.packages.list({ producer: receiptProducer, metadata, limit: 1 })).items;
    // In this order: one that is sealed between the two would be taken for one that was abandoned.
    if (await isRemembered(work, hub, event)) return undefined;
    if (newest?.status !== 'created') {
      const { record: receipt, created } = await registry.packages.create(
        {
          name: `State Hub link of ${record.name}`,
          producer: receiptProducer,
          subject: record.id,
          retention_class: record.retention_class,
          metadata,
        },
        { idempotencyKey: `${digest} ${hub.url.slice(0, 100)}${newest === undefined ? '' : ` after ${newest.id}`}` },
      );
      if (created) return receipt;
    } else if (Date.now() - Math.min(start, Date.parse(newest.created_at)) > patience) return newest;
    if (round === 0) context.output.note('waiting: somebody else is sending this link');
    await sleep(250, undefined, { signal });
  }
}

async function isRemembered({ registry }: Work, hub: StateHub, event: ProgressEvent): Promise<boolean> {
  const query = { producer: receiptProducer, status: 'finalized', metadata: receiptMetadata(hub, event), limit: 1 } as const;
  return (await registry.packages.list(query)).items.length > 0;
}

function receiptMetadata(hub: StateHub, event: ProgressEvent): { readonly manifest_digest: string; readonly state_hub: string } {
  return { manifest_digest: event.detail.manifest_digest, state_hub: hub.url };
}

async function remember({ registry }: Work, receipt: Package, event: ProgressEvent): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(event, null, 2)}\n`);
  async function* body(): AsyncIterable<Uint8Array> {
    yield bytes;
  }
  await registry.files.add(receipt.id, {
    relative_path: 'link.json',
    media_type: 'application/json',
    body: body(),
    size_bytes: bytes.length,
  });
  await registry.packages.finalize(receipt.id);
}
