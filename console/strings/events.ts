import type { EventType, SubjectKind } from '../../src/kernel/log/event.ts';
import type { Link } from '../events/chain.ts';
import type { FeedState } from '../events/feed.ts';

/** `alone`: right, as far as it can be told where a filter leaves out the event before. */
export type ShownLink = Link | 'alone';

/** Of the page that shows the log. */
export const events = {
  title: 'Events',
  lead: 'Everything that has happened here, in the order in which it happened.',
  leadFiltered: 'Of all that has happened here, what the filter lets through, in the order in which it happened.',
  filters: 'Filters',
  type: 'What happened',
  anyType: 'Anything',
  kind: 'To what',
  anyKind: 'Anything',
  subject: 'Id or name',
  ofPackage: 'Events of the package',
  choose: 'Packages that are called so',
  calledNone: 'Taken as an id: no package that you may read is called so.',
  called: (shown: string): string => `${shown} packages are called so. Choose whose events are shown:`,
  calledToo: (count: number, shown: string, more: boolean): string => {
    const many = `${more ? 'More than ' : ''}${shown} packages are called so too. Choose one for its events:`;
    return `The events below are of what has this id. ${count === 1 ? 'A package is called so too. Its events:' : many}`;
  },
  calledMore: (shown: string): string =>
    `More than ${shown} packages are called so. Choose whose events are shown, or take the id of another one:`,
  since: 'After no.',
  sinceWrong: 'A whole number, from 0 on.',
  apply: 'Apply',
  clear: 'Clear all',
  state: {
    connecting: 'Connecting…',
    live: 'Live: what happens appears here',
    waiting: 'The stream was cut: it is resumed where it was',
    held: 'Paused: nothing new is shown',
    failed: 'Stopped',
  } satisfies Record<FeedState, string>,
  hold: 'Pause',
  resume: 'Continue',
  earlier: 'Earlier',
  later: 'Later',
  latest: 'Latest',
  whole: 'Follow the whole log',
  position: (position: string): string => `read up to no. ${position}`,
  chain: 'The chain',
  follows: (followed: string, taken: string): string =>
    `${followed} of ${taken} events follow from the one before, and have the digests they say`,
  intact: 'What was read is unaltered',
  begun: 'Waiting for events',
  noChain: 'You see a part of the log, and a part has no chain',
  noChainDetail: 'Payloads are compared with their digests. Who has the right to observe sees the whole log, and can follow it.',
  gaps: 'With a filter there are gaps, and the chain is not followed',
  gapsDetail: 'Payloads are compared with their digests. Without a filter each event is compared with the one before.',
  broken: (sequence: string): string => `Event no. ${sequence} is not what the log was built on`,
  brokenDetail: 'Keep the log as it is, and verify it where it is stored: artifactstore events verify.',
  head: 'Chain digest of the last one',
  headHint: 'Keep it elsewhere: a log that was rewritten later cannot have it.',
  sequence: 'No.',
  event: 'What happened',
  about: 'To what',
  actor: 'Who',
  when: 'When',
  verdict: 'Chain',
  label: 'Events, newest first',
  left: (count: string): string => `The ${count} newest are kept on the page; earlier ones are in the log.`,
  none: 'Nothing has happened since then',
  noneDetail: 'What happens next appears here by itself.',
  noneFiltered: 'Nothing that matches',
  open: (sequence: string): string => `Details of event no. ${sequence}`,
  details: {
    type: 'Type',
    subject: 'Subject',
    time: 'Time',
    payloadDigest: 'Payload digest',
    chainDigest: 'Chain digest',
    noChain: 'not shown to you',
    payload: 'Payload',
    cut: (length: string): string => `It has ${length} characters: the beginning is shown.`,
  },
  link: {
    follows: 'follows',
    begins: 'begins here',
    no_chain: 'payload right',
    alone: 'payload right',
    payload_differs: 'payload altered',
    chain_broken: 'chain broken',
    out_of_order: 'out of order',
  } satisfies Record<ShownLink, string>,
  linkMeaning: {
    follows: 'Its payload has the digest that it says, and its chain digest follows from the event before.',
    begins: 'Its payload has the digest that it says; the event before it was not read.',
    no_chain: 'Its payload has the digest that it says; you are shown no chain.',
    alone: 'Its payload has the digest that it says. With a filter the chain is not followed.',
    payload_differs: 'Its payload does not have the digest that it says.',
    chain_broken: 'Its chain digest does not follow from the event before.',
    out_of_order: 'It comes again, or after one with a higher number.',
  } satisfies Record<ShownLink, string>,
  types: {
    'v1.package.created': 'Package created',
    'v1.file.ingested': 'File added',
    'v1.package.finalized': 'Package sealed',
    'v1.package.abandoned': 'Package abandoned',
    'v1.package.garbage_collected': 'Package collected',
    'v1.retention.default_applied': 'Time set by its class',
    'v1.retention.extended': 'Time extended',
    'v1.retention.hold_applied': 'Hold applied',
    'v1.retention.hold_released': 'Hold released',
    'v1.retention.marked_eligible': 'Found expired',
    'v1.retention.eligibility_cleared': 'No longer to be collected',
    'v1.storage.location_verified': 'Stored bytes verified',
    'v1.storage.location_added': 'Bytes copied',
    'v1.storage.location_deleted': 'Location deleted',
    'v1.storage.object_burnt': 'Key used up',
    'v1.storage.object_repaired': 'Bytes repaired',
    'v1.metadata_schema.registered': 'Metadata schema registered',
  } satisfies Record<EventType, string>,
  foundBad: 'Stored bytes found damaged or missing',
  kinds: {
    package: 'Package',
    file: 'File',
    location: 'Location',
    object: 'Bytes',
    backend: 'Storage',
    metadata_schema: 'Metadata schema',
  } satisfies Record<SubjectKind, string>,
} as const;

/** In words; the type itself where it is of a later version. */
export function nameOfType(type: string): string {
  return (events.types as Readonly<Record<string, string>>)[type] ?? type;
}
