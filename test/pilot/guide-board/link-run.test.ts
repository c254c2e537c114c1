import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkRun, receiptProducer } from '../../../pilot/guide-board/link-run.ts';
import type { Work } from '../../../pilot/tools.ts';
import { createProgress } from '../../../src/cli/terminal/progress.ts';
import { readConfig } from '../../../src/config/config.ts';
import * as library from '../../../src/index.ts';
import { stopOnSignal } from '../../../src/runtime/stop-signals.ts';
import { startStateHub } from '../../../tools/state-hub.ts';
import { openServer } from '../../client/open-server.ts';

test('a sender that was killed long ago is taken over, and its memory used', async () => {
  const server = await openServer();
  await using hub = await startStateHub();
  try {
    const registry = server.connect();
    const { record } = await registry.packages.create({
      name: 'run-1',
      producer: 'guide-board',
      subject: 's',
      retention_class: 'transient',
      metadata: { run_id: 'run-1' },
    });
    async function* body(): AsyncIterable<Uint8Array> {
      yield Buffer.from('evidence');
    }
    await registry.files.add(record.id, { relative_path: 'file', body: body() });
    const { manifest_digest: digest } = await registry.packages.finalize(record.id);
    const { record: left } = await registry.packages.create({
      name: 'left open',
      producer: receiptProducer,
      subject: record.id,
      retention_class: 'transient',
      metadata: { manifest_digest: digest, state_hub: hub.url },
    });

    const notes: string[] = [];
    const config = readConfig({ STATE_HUB_URL: hub.url }, { directory: server.directory });
    const work: Work = {
      tools: { library, connect: () => registry, createProgress, stopOnSignal },
      context: { config, output: { note: (text: string) => void notes.push(text) } } as unknown as Work['context'],
      registry,
      signal: new AbortController().signal,
    };
    const sealed = (await registry.packages.get(record.id))!;
    const start = performance.now();
    assert.equal(await linkRun(work, sealed, 1000), 'sent');
    assert.ok(performance.now() - start >= 950, 'it did not wait for a sender that may live');
    assert.deepEqual(notes, ['waiting: somebody else is sending this link']);
    assert.equal(hub.events.length, 1);
    assert.equal((await registry.packages.get(left.id))?.status, 'finalized');
    assert.equal(await linkRun(work, sealed, 1000), 'found');
    assert.equal(hub.events.length, 1);
  } finally {
    await server.close();
  }
});
