import { randomUUID } from 'node:crypto';
import { added, deleted, event, fileEntry, ingested } from '../../src/database/conformance/events.ts';
import type { NewEvent } from '../../src/kernel/log/event.ts';
import type { ManifestFile } from '../../src/kernel/manifest.ts';

/** Whom an event of a made-up log is for: a producer's readers, all readers, or observers. */
export type For = { readonly producer: string } | 'readers' | 'observers';

interface MadePackage {
  readonly id: string;
  readonly producer: string;
  readonly files: { readonly file: ManifestFile; readonly location: string }[];
}

/**
 * Makes up events of every kind, each with whom it is for, as the test knows it and not by asking the product. `pick`
 * is a number that decides.
 */
export function madeUpLog(): { next(pick: number, producer: string): readonly [NewEvent, For][] } {
  const packages: MadePackage[] = [];
  let count = 0;

  function created(producer: string): [NewEvent, For] {
    const id = randomUUID();
    packages.push({ id, producer, files: [] });
    const payload = { id, name: 'n', producer, subject: 's', retention_class: 'transient', metadata: {}, metadata_schema_slug: null };
    return [event('v1.package.created', 'package', id, payload), { producer }];
  }

  function add(into: MadePackage): [NewEvent, For] {
    const file = fileEntry(randomUUID(), `f${++count}`, `content ${count % 5}`);
    const location = randomUUID();
    into.files.push({ file, location });
    return [ingested(file, into.id, location, 0, count < 6), { producer: into.producer }];
  }

  return {
    next(pick, producer) {
      const own = packages.filter((each) => each.producer === producer);
      const of = own[pick % Math.max(own.length, 1)];
      if (of === undefined) return [created(producer)];
      const forOwn = { producer };
      const about = <T extends Parameters<typeof event>[0]>(type: T, payload: Parameters<typeof event<T>>[3]): [NewEvent, For][] => [
        [event(type, 'package', of.id, payload), forOwn],
      ];
      const package_id = of.id;
      const some = of.files[pick % Math.max(of.files.length, 1)];
      if (some === undefined) return [add(of)];
      const { file, location } = some;
      const { content_address } = file;
      switch (pick % 17) {
        case 0:
          return [created(producer)];
        case 1:
        case 2:
          return [add(of)];
        case 3:
          return [[added(file, package_id, `${location}-${++count}`), forOwn]];
        case 4:
          return [[deleted(file, package_id, location, 0, pick % 2 === 0 ? 'shared' : 'release'), forOwn]];
        case 5:
          return about('v1.package.abandoned', { package_id, cause: 'requested', reason: null });
        case 6:
          return about('v1.package.garbage_collected', { package_id, location_count: 1 });
        case 7:
          return about('v1.retention.extended', { package_id, previous_expires_at: null, new_expires_at: null, reason: 'r' });
        case 8:
          return about('v1.retention.hold_applied', { package_id, hold_id: `h${++count}`, reason: 'r' });
        case 9:
          return about('v1.retention.hold_released', { package_id, hold_id: 'h', reason: null });
        case 10:
          return about('v1.retention.marked_eligible', { package_id, expires_at: '2026-01-31T23:59:59.000Z' });
        case 11:
          return about('v1.retention.eligibility_cleared', { package_id, cause: 'held' });
        case 12: {
          const payload = {
            backend_id: 'local',
            result: 'ok',
            location_ids: packages.flatMap(({ files }) => files.map((each) => each.location)),
          };
          return [[event('v1.storage.location_verified', 'backend', 'local', payload as never), 'observers']];
        }
        case 13: {
          const payload = { backend_id: 'local', content_address, generation: 3 };
          return [[event('v1.storage.object_burnt', 'object', content_address, payload), 'observers']];
        }
        case 14: {
          const payload = {
            backend_id: 'local',
            content_address,
            previous_generation: 0,
            generation: 1,
            object_key: 'k',
            location_ids: [location],
          };
          return [[event('v1.storage.object_repaired', 'object', content_address, payload), 'observers']];
        }
        case 15: {
          const slug = `schema-${++count}`;
          return [[event('v1.metadata_schema.registered', 'metadata_schema', slug, { slug, json_schema: {} }), 'readers']];
        }
        default:
          return [
            [
              {
                ...about('v1.package.abandoned', { package_id, cause: 'requested', reason: null })[0]![0],
                event_type: 'v9.unknown' as never,
              },
              'observers',
            ],
          ];
      }
    },
  };
}
