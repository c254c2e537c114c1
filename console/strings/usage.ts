import type { Measure } from '../usage/groups.ts';

/** Of the page that says who has how much. */
export const usage = {
  title: 'Usage',
  lead: 'Who keeps how much. Packages that were collected or abandoned do not count; equal bytes count for each file.',
  measure: 'Compare',
  measures: { bytes: 'Bytes', packages: 'Packages', files: 'Files' } satisfies Record<Measure, string>,
  byProducer: 'By producer',
  byClass: 'By retention class',
  legend: 'Retention classes',
  table: 'In numbers',
  tableLabel: 'Producers and classes, the largest first',
  producer: 'Producer',
  retentionClass: 'Class',
  packages: 'Packages',
  files: 'Files',
  size: 'Size',
  counted: 'Counted',
  leftOut: (count: number, shown: string, value: string): string =>
    count === 1 ? `1 smaller one has ${value}.` : `${shown} smaller ones have ${value} together.`,
  notNamed: (shown: string): string => `${shown} more groups are not told one by one.`,
  quotas: 'Quotas',
  quotasLabel: 'Producers, and how much of their quota they have used',
  quotaPackages: 'Packages at most',
  quotaBytes: 'Size at most',
  noBound: 'no limit',
  usedPackages: (share: string): string => `${share} of its packages used`,
  usedBytes: (share: string): string => `${share} of its bytes used`,
  own: 'What you may read',
  ownDetail: 'How full the whole registry is can be seen by those with the right to observe it.',
  emptyTitle: 'Nothing is kept here yet',
  emptyDetail: 'Push a directory, and its producer appears here.',
} as const;
