import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Principal } from '../kernel/access.ts';
import { eventsConformance } from './conformance/events.ts';
import { filesConformance } from './conformance/files.ts';
import { metadataSchemasConformance } from './conformance/metadata-schemas.ts';
import { packagesConformance } from './conformance/packages.ts';
import { producersConformance } from './conformance/producers.ts';
import { retentionConformance } from './conformance/retention.ts';
import { sealingConformance } from './conformance/sealing.ts';
import { usageConformance } from './conformance/usage.ts';
import type { Registry } from './REGISTRY.ts';

export interface OpenedRegistry {
  readonly registry: Registry;
  /** The same one as somebody else sees it. */
  as(principal: Principal): Registry;
  close(): Promise<void>;
}

/** What every implementation of the Registry door must do, in process or over a wire. Run it from a test file. */
export function registryConformance(name: string, open: () => Promise<OpenedRegistry>): void {
  describe(`registry conformance: ${name}`, () => {
    let opened: OpenedRegistry;
    const registry = () => opened.registry;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());

    packagesConformance(registry);
    filesConformance(registry);
    sealingConformance(registry);
    eventsConformance(registry, (principal) => opened.as(principal));
    metadataSchemasConformance(registry);
    retentionConformance(registry);
    producersConformance(registry);
    usageConformance(registry);

    it('says how it is', async () => {
      const health = await registry().health();
      assert.equal(health.db.healthy, true);
      assert.ok(health.last_sequence > 0);
      assert.ok(health.backends.some(({ backend_id }) => backend_id === health.backend.backend_id));
    });
  });
}
