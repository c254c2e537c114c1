import type { FastifyRequest } from 'fastify';
import { type HttpBound, httpBounds } from '../../http/limits.ts';
import type { Bounds } from '../../kernel/bound.ts';
import { type RegistryBound, registryBounds } from '../../registry/limits.ts';

type DoorBound = 'parameter_characters' | 'cursor_characters' | 'idempotency_key_characters' | 'file_name_characters' | 'console_sessions';

/** Of one person: the oldest goes. */
export const sessionsOfOne = 20;

/** Limits of what stands in a URL or a header of this door, and of who is signed in. */
const doorBounds: Bounds<DoorBound> = {
  parameter_characters: { value: 1_024, unit: 'characters', answer: 'malformed_request', what: 'a query parameter' },
  cursor_characters: { value: 2_048, unit: 'characters', answer: 'malformed_request', what: 'a cursor' },
  idempotency_key_characters: { value: 255, unit: 'characters', answer: 'invalid_header', what: 'an Idempotency-Key' },
  console_sessions: {
    value: 10_000,
    unit: '',
    answer: 'too_busy',
    what: `people who are signed in to the console by an issuer; of one of them the latest ${sessionsOfOne} count`,
  },
  file_name_characters: { value: 255, unit: 'characters', answer: 'invalid_path', what: 'the name of a file behind a content address' },
};

/**
 * Every limit that a request can meet: the table of docs/limits.md, and the labels of
 * `artifactstore_http_limits_total`.
 */
export const bounds: Bounds<LimitName> = { ...httpBounds, ...registryBounds, ...doorBounds };

export type LimitName = HttpBound | RegistryBound | DoorBound;

export const limitNames = Object.keys(bounds) as readonly LimitName[];

/** What changes a limit, as its refusals say it; nothing for one that is fixed. */
export function variableOf(bound: unknown): { readonly variable?: string } {
  const variable = typeof bound === 'string' && Object.hasOwn(bounds, bound) ? bounds[bound as LimitName].variable : undefined;
  return variable === undefined ? {} : { variable };
}

/** What a body's schema bounds, by the keyword and the value: what it says of itself names no limit. */
export function limitOfSchema(keyword: string, value: unknown): LimitName | undefined {
  return schemaLimits.find(([each, limit]) => each === keyword && bounds[limit].value === value)?.[1];
}

const schemaLimits = [
  ['maxLength', 'text_characters'],
  ['maxLength', 'reason_characters'],
  ['maxLength', 'cursor_characters'],
  ['maxItems', 'attachments'],
  ['maxItems', 'named_files'],
  ['maximum', 'page_items'],
  ['maximum', 'event_page_items'],
  ['maximum', 'event_wait'],
] as const satisfies readonly (readonly [string, LimitName])[];

/** What an answer says of itself: that it has less than there is, for a limit and not because less was asked for. */
export function shortenedBy({ query }: FastifyRequest, answer: unknown): readonly LimitName[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const {
    items,
    item_count = Array.isArray(items) ? items.length : undefined,
    next_cursor,
    holds_left_out,
    history_left_out,
    producers_left_out,
  } = answer as Partial<Record<string, unknown>>;
  const { limit = 100 } = query as { readonly limit?: number };
  return [
    ...(typeof item_count === 'number' && typeof next_cursor === 'string' && item_count < limit ? (['page_bytes'] as const) : []),
    ...(Number(holds_left_out) + Number(history_left_out) > 0 ? (['retention_entries'] as const) : []),
    ...(Number(producers_left_out) > 0 ? (['usage_producers'] as const) : []),
  ];
}
