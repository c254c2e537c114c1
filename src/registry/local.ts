import type { Principal } from '../kernel/access.ts';
import { createAccess, createProducerOf } from './access.ts';
import type { Context, RegistryParts } from './context.ts';
import { createEvents } from './events.ts';
import { createFairShares } from './fair-shares.ts';
import { createFiles } from './files.ts';
import { readHealth } from './health.ts';
import { incident } from './incident.ts';
import { createMetadataSchemas } from './metadata/schemas.ts';
import { createMetadataValidator } from './metadata/validation.ts';
import { createHoldRoom } from './objects/hold-room.ts';
import { createLocate } from './objects/locate.ts';
import { createRecheck } from './objects/recheck.ts';
import { createRepair } from './objects/repair.ts';
import { createSettler } from './objects/settler.ts';
import { createPackages } from './packages.ts';
import { createProducers } from './producers.ts';
import type { Registry } from './REGISTRY.ts';
import { createRetention } from './retention.ts';
import { createClockWatch } from './upkeep/clock-watch.ts';
import { createOperator } from './upkeep/local-operator.ts';
import type { Operator } from './upkeep/OPERATOR.ts';
import { createUploads } from './uploads/uploads.ts';
import { createUploadWriters } from './uploads/writers.ts';
import { createUsage } from './usage.ts';
import { createWriteSessions } from './write-sessions/write-sessions.ts';

/**
 * The registry in process: one for each principal, over shared parts; and the operator's, which may do everything and
 * has no actor of its own.
 */
export interface LocalRegistry {
  /** What the principal may not read does not exist in it, and what it may not do is `forbidden`. */
  as(principal: Principal): Registry;
  readonly operator: Operator;
  /** Waits for clean-up that continues after its caller was answered. */
  settle(): Promise<void>;
  /** Ends its threads; what still waits for them is told so. */
  close(): Promise<void>;
}

/** What is held is durable: a process that ends does not wait long for the rest of it. */
const drainMilliseconds = 2_000;

export function createRegistry(parts: RegistryParts): LocalRegistry {
  const pending = new Set<Promise<unknown>>();
  const background: Context['background'] = (kind, work) => {
    const settled = work.catch((error: unknown) => parts.onIncident(incident(kind, error))).finally(() => pending.delete(settled));
    pending.add(settled);
  };
  const settler = parts.settler ?? createSettler(parts);
  const fair = createFairShares({
    ...parts.database,
    write(name, input) {
      settler.noteWrite();
      return parts.database.write(name, input);
    },
  });
  const context: Context = {
    ...parts,
    clock: createClockWatch({
      now: parts.now,
      uptime: parts.uptime,
      lastEvent: async () => (await parts.database.read('event.last_time', {})) ?? undefined,
      ...(parts.database.clock === undefined ? {} : { otherClock: parts.database.clock }),
    }),
    validator: createMetadataValidator(parts.uptime),
    locate: createLocate(parts.database),
    repair: createRepair(parts, background),
    recheck: createRecheck(parts),
    holdRoom: createHoldRoom(parts, settler),
    settler,
    uploadWriters: createUploadWriters(parts.newId()),
    takeLarge: (work) => fair.large.take('', 1, work),
    takeStored: (bytes, work) => fair.takeStored('', bytes, work),
    takeFile: (backendId, work) => fair.filesOf(backendId).take('', 1, work),
    background,
  };
  const usage = createUsage(parts);
  const producerOf = createProducerOf();
  return {
    as(principal) {
      const { share } = principal;
      const own: Context = {
        ...context,
        database: fair.databaseOf(share),
        takeLarge: (work) => fair.large.take(share, 1, work),
        takeStored: (bytes, work) => fair.takeStored(share, bytes, work),
        takeFile: (backendId, work) => fair.filesOf(backendId).take(share, 1, work),
      };
      const access = createAccess(principal, producerOf(own.database));
      return {
        packages: createPackages(own, access),
        files: createFiles(own, access),
        events: createEvents(own, access),
        metadataSchemas: createMetadataSchemas(own, access),
        retention: createRetention(own, access),
        producers: createProducers(own, access),
        uploads: createUploads(own, access),
        writeSessions: createWriteSessions(own, access),
        health: () => readHealth(context),
        async usage() {
          access.require('observe');
          return await usage();
        },
      };
    },
    operator: createOperator(context),
    async settle() {
      await Promise.all(pending);
      await context.settler.drain(drainMilliseconds);
    },
    async close() {
      context.settler.close();
      await context.validator.close();
    },
  };
}
