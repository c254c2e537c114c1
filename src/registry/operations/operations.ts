import { addFiles } from './add-files.ts';
import { attachFiles } from './attach.ts';
import { lookAtBackend, recordMarker } from './backends.ts';
import { listIdempotencyKeys, listLive, readRegistry } from './backup.ts';
import { abandonUnfinalized, collectPackages, countLive, planCollection, releaseLocations } from './collect.ts';
import { createPackage } from './create-package.ts';
import { burnOrphans, findOrphans, forgetDeadKeys, listDeadKeys } from './dead-keys.ts';
import {
  copyLog,
  countHealth,
  lastEventTime,
  readEvents,
  readFoundEvents,
  readPayload,
  readShortEvents,
  readShortFoundEvents,
  verifyEvents,
} from './events/events.ts';
import { scanEvents } from './events/scan.ts';
import { listExpiring } from './expiring.ts';
import { filesWithDigest, filesWithDigestEncoded, findFile, getFile, listFiles, listFilesEncoded } from './files.ts';
import { finalizePackage } from './finalize.ts';
import { countHeld, fetchHeld, listHeld, readHeld, settleHeld } from './held.ts';
import { nextGeneration, planFiles } from './ingest.ts';
import { releaseLease, takeLease } from './leases.ts';
import { locateFile, locateFiles } from './locate.ts';
import { getMetadataSchema, listMetadataSchemas, registerMetadataSchema } from './metadata-schemas.ts';
import { listMovable, moveLocations } from './move.ts';
import { countMovable } from './move-scope.ts';
import { burnObjects, failObject, listCopies, repairFailed } from './objects.ts';
import { listPackages, listPackagesEncoded } from './package-list.ts';
import { abandonPackage, getPackage, getTakingPackage, producerOfPackage, readManifest } from './packages.ts';
import { listProducers } from './producers.ts';
import { readRoom } from './quota.ts';
import { findClaims, findRepresentative } from './readable-files.ts';
import { applyHold, extendRetention, getRetention, planSweep, releaseHold, sweepRetention } from './retention.ts';
import { recordRun } from './runs.ts';
import { readStretch } from './sealing.ts';
import { listUploads } from './uploads/list-uploads.ts';
import { beginUpload } from './uploads/open-uploads.ts';
import { expireUploads, openAmong, planExpiry } from './uploads/upkeep.ts';
import { abandonUpload, fenceUpload, getUpload, recordProgress, takeUpload } from './uploads/uploads.ts';
import { countUsage } from './usage.ts';
import { clearObject, endVerification, listVerifiable, readProgress, recordVerified } from './verify.ts';
import { receiveArrived } from './write-sessions/arrived.ts';
import { listSessions } from './write-sessions/list-sessions.ts';
import { abortSession, expireSessions, placesAmong, planSessionExpiry } from './write-sessions/upkeep.ts';
import { beginObjectUpload, receiveUpload } from './write-sessions/uploads.ts';
import {
  beginCommit,
  fileSizes,
  findSessionObject,
  finishCommit,
  getSession,
  openSession,
  receiveObject,
  reopenSession,
} from './write-sessions/write-sessions.ts';

/**
 * Everything that is done to the database, by name: the transactions of the registry. Each decides on what it reads and
 * appends events; it runs beside the data, on whatever thread or connection the database keeps for it, so inputs and
 * outputs are plain.
 */
export const operations: RegistryOperations = {
  writes: {
    'package.create': createPackage,
    'package.abandon': abandonPackage,
    'package.finalize': finalizePackage,
    'file.add': addFiles,
    'file.attach': attachFiles,
    'object.burn': burnObjects,
    'object.fail': failObject,
    'object.repair': repairFailed,
    'object.clear': clearObject,
    'held.settle': settleHeld,
    'metadata_schema.register': registerMetadataSchema,
    'retention.extend': extendRetention,
    'retention.hold': applyHold,
    'retention.release': releaseHold,
    'retention.sweep': sweepRetention,
    'collect.abandon': abandonUnfinalized,
    'collect.packages': collectPackages,
    'collect.release': releaseLocations,
    'collect.forget': forgetDeadKeys,
    'collect.burn_orphans': burnOrphans,
    'move.locations': moveLocations,
    'verify.record': recordVerified,
    'verify.end': endVerification,
    'run.record': recordRun,
    'lease.take': takeLease,
    'lease.release': releaseLease,
    'backend.record': recordMarker,
    'upload.begin': beginUpload,
    'upload.take': takeUpload,
    'upload.progress': recordProgress,
    'upload.fence': fenceUpload,
    'upload.abandon': abandonUpload,
    'upload.expire': expireUploads,
    'session.open': openSession,
    'session.receive': receiveObject,
    'session.receive_arrived': receiveArrived,
    'session.begin_upload': beginObjectUpload,
    'session.receive_upload': receiveUpload,
    'session.begin_commit': beginCommit,
    'session.finish_commit': finishCommit,
    'session.reopen': reopenSession,
    'session.abort': abortSession,
    'session.expire': expireSessions,
  },
  reads: {
    'package.get': getPackage,
    'package.taking': getTakingPackage,
    'package.producer': producerOfPackage,
    'package.list': listPackages,
    'package.list_encoded': listPackagesEncoded,
    'package.manifest': readManifest,
    'package.stretch': readStretch,
    'file.plan': planFiles,
    'file.get': getFile,
    'file.find': findFile,
    'file.list': listFiles,
    'file.list_encoded': listFilesEncoded,
    'file.with_digest': filesWithDigest,
    'file.with_digest_encoded': filesWithDigestEncoded,
    'file.locate': locateFile,
    'file.locate_many': locateFiles,
    'file.representative': findRepresentative,
    'file.claims': findClaims,
    'object.copies': listCopies,
    'object.next_generation': nextGeneration,
    'held.read': readHeld,
    'held.list': listHeld,
    'held.fetch': fetchHeld,
    'held.count': countHeld,
    'event.page': readEvents,
    'event.short_page': readShortEvents,
    'event.payload': readPayload,
    'event.scan': scanEvents,
    'event.found': readFoundEvents,
    'event.short_found': readShortFoundEvents,
    'event.copy': copyLog,
    'event.last_time': lastEventTime,
    'event.verify': verifyEvents,
    'metadata_schema.get': getMetadataSchema,
    'metadata_schema.list': listMetadataSchemas,
    'health.count': countHealth,
    'retention.get': getRetention,
    'retention.plan_sweep': planSweep,
    'collect.plan': planCollection,
    'collect.dead_keys': listDeadKeys,
    'collect.find_orphans': findOrphans,
    'collect.count_live': countLive,
    'move.list': listMovable,
    'move.count': countMovable,
    'backup.registry': readRegistry,
    'backup.live': listLive,
    'backup.idempotency_keys': listIdempotencyKeys,
    'usage.count': countUsage,
    'producer.room': readRoom,
    'producer.list': listProducers,
    'retention.expiring': listExpiring,
    'verify.list': listVerifiable,
    'verify.progress': readProgress,
    'backend.look': lookAtBackend,
    'upload.get': getUpload,
    'upload.list': listUploads,
    'upload.open_among': openAmong,
    'upload.plan_expiry': planExpiry,
    'session.get': getSession,
    'session.list': listSessions,
    'session.find_object': findSessionObject,
    'session.places_among': placesAmong,
    'session.plan_expiry': planSessionExpiry,
    'session.sizes': fileSizes,
  },
};

export interface RegistryOperations {
  readonly writes: {
    readonly 'package.create': typeof createPackage;
    readonly 'package.abandon': typeof abandonPackage;
    readonly 'package.finalize': typeof finalizePackage;
    readonly 'file.add': typeof addFiles;
    readonly 'file.attach': typeof attachFiles;
    readonly 'object.burn': typeof burnObjects;
    readonly 'object.fail': typeof failObject;
    readonly 'object.repair': typeof repairFailed;
    readonly 'object.clear': typeof clearObject;
    readonly 'held.settle': typeof settleHeld;
    readonly 'metadata_schema.register': typeof registerMetadataSchema;
    readonly 'retention.extend': typeof extendRetention;
    readonly 'retention.hold': typeof applyHold;
    readonly 'retention.release': typeof releaseHold;
    readonly 'retention.sweep': typeof sweepRetention;
    readonly 'collect.abandon': typeof abandonUnfinalized;
    readonly 'collect.packages': typeof collectPackages;
    readonly 'collect.release': typeof releaseLocations;
    readonly 'collect.forget': typeof forgetDeadKeys;
    readonly 'collect.burn_orphans': typeof burnOrphans;
    readonly 'move.locations': typeof moveLocations;
    readonly 'verify.record': typeof recordVerified;
    readonly 'verify.end': typeof endVerification;
    readonly 'run.record': typeof recordRun;
    readonly 'lease.take': typeof takeLease;
    readonly 'lease.release': typeof releaseLease;
    readonly 'backend.record': typeof recordMarker;
    readonly 'upload.begin': typeof beginUpload;
    readonly 'upload.take': typeof takeUpload;
    readonly 'upload.progress': typeof recordProgress;
    readonly 'upload.fence': typeof fenceUpload;
    readonly 'upload.abandon': typeof abandonUpload;
    readonly 'upload.expire': typeof expireUploads;
    readonly 'session.open': typeof openSession;
    readonly 'session.receive': typeof receiveObject;
    readonly 'session.receive_arrived': typeof receiveArrived;
    readonly 'session.begin_upload': typeof beginObjectUpload;
    readonly 'session.receive_upload': typeof receiveUpload;
    readonly 'session.begin_commit': typeof beginCommit;
    readonly 'session.finish_commit': typeof finishCommit;
    readonly 'session.reopen': typeof reopenSession;
    readonly 'session.abort': typeof abortSession;
    readonly 'session.expire': typeof expireSessions;
  };
  readonly reads: {
    readonly 'package.get': typeof getPackage;
    readonly 'package.taking': typeof getTakingPackage;
    readonly 'package.producer': typeof producerOfPackage;
    readonly 'package.list': typeof listPackages;
    readonly 'package.list_encoded': typeof listPackagesEncoded;
    readonly 'package.manifest': typeof readManifest;
    readonly 'package.stretch': typeof readStretch;
    readonly 'file.plan': typeof planFiles;
    readonly 'file.get': typeof getFile;
    readonly 'file.find': typeof findFile;
    readonly 'file.list': typeof listFiles;
    readonly 'file.list_encoded': typeof listFilesEncoded;
    readonly 'file.with_digest': typeof filesWithDigest;
    readonly 'file.with_digest_encoded': typeof filesWithDigestEncoded;
    readonly 'file.locate': typeof locateFile;
    readonly 'file.locate_many': typeof locateFiles;
    readonly 'file.representative': typeof findRepresentative;
    readonly 'file.claims': typeof findClaims;
    readonly 'object.copies': typeof listCopies;
    readonly 'object.next_generation': typeof nextGeneration;
    readonly 'held.read': typeof readHeld;
    readonly 'held.list': typeof listHeld;
    readonly 'held.fetch': typeof fetchHeld;
    readonly 'held.count': typeof countHeld;
    readonly 'event.page': typeof readEvents;
    readonly 'event.short_page': typeof readShortEvents;
    readonly 'event.payload': typeof readPayload;
    readonly 'event.scan': typeof scanEvents;
    readonly 'event.found': typeof readFoundEvents;
    readonly 'event.short_found': typeof readShortFoundEvents;
    readonly 'event.copy': typeof copyLog;
    readonly 'event.last_time': typeof lastEventTime;
    readonly 'event.verify': typeof verifyEvents;
    readonly 'metadata_schema.get': typeof getMetadataSchema;
    readonly 'metadata_schema.list': typeof listMetadataSchemas;
    readonly 'health.count': typeof countHealth;
    readonly 'retention.get': typeof getRetention;
    readonly 'retention.plan_sweep': typeof planSweep;
    readonly 'collect.plan': typeof planCollection;
    readonly 'collect.dead_keys': typeof listDeadKeys;
    readonly 'collect.find_orphans': typeof findOrphans;
    readonly 'collect.count_live': typeof countLive;
    readonly 'move.list': typeof listMovable;
    readonly 'move.count': typeof countMovable;
    readonly 'backup.registry': typeof readRegistry;
    readonly 'backup.live': typeof listLive;
    readonly 'backup.idempotency_keys': typeof listIdempotencyKeys;
    readonly 'usage.count': typeof countUsage;
    readonly 'producer.room': typeof readRoom;
    readonly 'producer.list': typeof listProducers;
    readonly 'retention.expiring': typeof listExpiring;
    readonly 'verify.list': typeof listVerifiable;
    readonly 'verify.progress': typeof readProgress;
    readonly 'backend.look': typeof lookAtBackend;
    readonly 'upload.get': typeof getUpload;
    readonly 'upload.list': typeof listUploads;
    readonly 'upload.open_among': typeof openAmong;
    readonly 'upload.plan_expiry': typeof planExpiry;
    readonly 'session.get': typeof getSession;
    readonly 'session.list': typeof listSessions;
    readonly 'session.find_object': typeof findSessionObject;
    readonly 'session.places_among': typeof placesAmong;
    readonly 'session.plan_expiry': typeof planSessionExpiry;
    readonly 'session.sizes': typeof fileSizes;
  };
}
