import type { EventPayloads } from '../src/kernel/log/event.ts';

const types: Readonly<Record<keyof EventPayloads, true>> = {
  'v1.package.created': true,
  'v1.file.ingested': true,
  'v1.package.finalized': true,
  'v1.package.abandoned': true,
  'v1.package.garbage_collected': true,
  'v1.retention.default_applied': true,
  'v1.retention.extended': true,
  'v1.retention.hold_applied': true,
  'v1.retention.hold_released': true,
  'v1.retention.marked_eligible': true,
  'v1.retention.eligibility_cleared': true,
  'v1.storage.location_verified': true,
  'v1.storage.location_added': true,
  'v1.storage.location_deleted': true,
  'v1.storage.object_burnt': true,
  'v1.storage.object_repaired': true,
  'v1.metadata_schema.registered': true,
};

/** All that there are: the compiler asks for each. */
export const eventTypes: readonly string[] = Object.keys(types);
