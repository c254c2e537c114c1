/**
 * What the server answers. These are the registry's own records, as types alone: the compiler holds the schemas of
 * `/openapi.json` to the same ones, so that the console, the document and the server cannot say different things.
 */
export type { WhoAmI } from '../../src/kernel/access.ts';
export type {
  EventPage,
  EventRecord,
  File,
  FoundFile,
  Health,
  Hold,
  ListedWriteSession,
  MetadataSchema,
  Package,
  Page,
  ProducerRecord,
  RetentionClassRecord,
  RetentionEvent,
  RetentionRecord,
  SessionObject,
  Upload,
  Usage,
  WriteSession,
} from '../../src/registry/REGISTRY.ts';
