import { ArtifactstoreError } from '../kernel/error.ts';
import { checkJson, hasMoreValues, type JsonObject } from '../kernel/format/json.ts';
import { annotationKeyPattern, isLonger, mediaTypePattern, slugPattern } from '../kernel/format/text-rules.ts';
import { readTimestamp } from '../kernel/time.ts';
import { limits, type RegistryBound, registryBounds } from './limits.ts';
import type { NewPackage, PageQuery } from './REGISTRY.ts';

/**
 * Checks of what callers hand to the registry, whichever door they come through. Each throws before anything is done.
 */

const {
  textLength: maximumTextLength,
  reasonLength: maximumReasonLength,
  metadataMembers: maximumMembers,
  metadataValues: maximumValues,
} = limits;

const slug = new RegExp(slugPattern);
const mediaType = new RegExp(mediaTypePattern);
const annotationKey = new RegExp(annotationKeyPattern);

/** Names, producers, subjects, slugs: 1 to 256 characters, no control characters, no lone surrogates. */
export function checkText(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.length === 0 || isLonger(value, maximumTextLength))
    throw new ArtifactstoreError('invalid_value', `"${field}" must be text of 1 to ${maximumTextLength} characters.`, {
      field: `/${field}`,
      ...beyond('text_characters', value),
    });
  if (!isText(value))
    throw new ArtifactstoreError('invalid_value', `"${field}" contains a control character or half a character.`, { field: `/${field}` });
  return value;
}

/** Whether `checkText` takes it. */
export function isText(value: string): boolean {
  return value.length > 0 && !isLonger(value, maximumTextLength) && value.isWellFormed() && !/\p{Cc}/u.test(value);
}

/** Why something was done: 1 to 1,024 characters that are not all blank. */
export function checkReason(value: unknown): string {
  if (
    typeof value !== 'string' ||
    value.trim() === '' ||
    isLonger(value, maximumReasonLength) ||
    !value.isWellFormed() ||
    /[^\P{Cc}\n\t]/u.test(value)
  )
    throw new ArtifactstoreError('invalid_value', `"reason" must say why, in 1 to ${maximumReasonLength} characters.`, {
      field: '/reason',
      ...beyond('reason_characters', value),
    });
  return value;
}

/** Nothing else is the name of a schema, so nothing else needs to be looked for. */
export function isSlug(text: string): boolean {
  return slug.test(text);
}

export function checkSlug(value: unknown, field: string): string {
  const text = checkText(value, field);
  if (!isSlug(text))
    throw new ArtifactstoreError(
      'invalid_value',
      `"${field}" must be 1 to 128 letters, digits, ".", "_", ":" or "-", a letter or digit first.`,
      {
        field: `/${field}`,
        ...beyond('slug_characters', text),
      },
    );
  return text;
}

export function checkMetadata(value: unknown): JsonObject {
  if (value === undefined) return {};
  const json = checkJson(value, '/metadata');
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw new ArtifactstoreError('invalid_value', '"metadata" must be a JSON object.', { field: '/metadata' });
  const members = Object.keys(json).length;
  if (members > maximumMembers)
    throw new ArtifactstoreError(
      'invalid_value',
      `"metadata" has ${members} members, and at most ${maximumMembers} are taken, since packages ` +
        'are found by each of them; put some of them into an object within it, or into a file.',
      { field: '/metadata', info: { bound: 'metadata_members', limit: maximumMembers } },
    );
  if (hasMoreValues(json, maximumValues))
    throw new ArtifactstoreError(
      'invalid_value',
      `"metadata" has more than ${maximumValues} values, which is as many as are taken; put some of them into a file.`,
      { field: '/metadata', info: { bound: 'metadata_values', limit: maximumValues } },
    );
  return json as JsonObject;
}

export function checkNewPackage(input: NewPackage): Required<NewPackage> & { readonly metadata: JsonObject } {
  return {
    name: checkText(input.name, 'name'),
    producer: checkText(input.producer, 'producer'),
    subject: checkText(input.subject, 'subject'),
    retention_class: checkText(input.retention_class, 'retention_class'),
    metadata: checkMetadata(input.metadata),
    metadata_schema_slug:
      input.metadata_schema_slug === undefined || input.metadata_schema_slug === null
        ? null
        : checkText(input.metadata_schema_slug, 'metadata_schema_slug'),
  };
}

/** `type/subtype` with optional parameters (RFC 9110 section 8.3.1), at most 255 printable ASCII characters. */
export function checkMediaType(value: string | undefined, field = 'media_type'): string {
  if (value === undefined) return 'application/octet-stream';
  if (value.length > limits.mediaTypeLength || !mediaType.test(value))
    throw new ArtifactstoreError('invalid_value', 'The media type is not of the form type/subtype, or is too long.', {
      field,
      ...beyond('media_type_characters', value),
    });
  return value;
}

/**
 * A string map: at most 64 keys `[a-z0-9][a-z0-9._-]*` of up to 128 characters, values of up to 1,024 without control
 * characters.
 */
export function checkAnnotations(
  value: Readonly<Record<string, string>> | undefined,
  field = 'annotations',
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const entries = Object.entries(value);
  if (entries.length > limits.annotations)
    throw new ArtifactstoreError('invalid_value', `A file carries at most ${limits.annotations} annotations.`, {
      field,
      ...beyond('annotations'),
    });
  for (const [key, text] of entries) {
    if (!annotationKey.test(key))
      throw new ArtifactstoreError('invalid_value', `"${key}" is not an annotation key: [a-z0-9][a-z0-9._-]*, at most 128 characters.`, {
        field,
        ...beyond('annotation_key_characters', key),
      });
    if (typeof text !== 'string' || isLonger(text, limits.annotationLength) || !text.isWellFormed() || /\p{Cc}/u.test(text))
      throw new ArtifactstoreError(
        'invalid_value',
        `Annotation "${key}" must be text of at most 1,024 characters without control characters.`,
        {
          field,
          ...beyond('annotation_characters', text),
        },
      );
  }
  return Object.fromEntries(entries);
}

/** What a list is asked for by: text that a record can hold. Who asks for an empty one has lost a value. */
export function checkFilter(value: string | undefined, field: string): string | null {
  if (value === undefined) return null;
  if (value === '') throw new ArtifactstoreError('malformed_request', `"${field}" is empty; leave it out, or say which.`, { field });
  if (isLonger(value, maximumTextLength) || !value.isWellFormed() || /\p{Cc}/u.test(value))
    throw new ArtifactstoreError(
      'malformed_request',
      `"${field}" is longer than ${maximumTextLength} characters, or has a ` +
        'control character or half a character: nothing that is stored has one.',
      { field, ...beyond('text_characters', value) },
    );
  return value;
}

export function checkLimit(query: PageQuery | undefined, bound: 'page_items' | 'event_page_items' = 'page_items'): number {
  const maximum = registryBounds[bound].value;
  const limit = query?.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > maximum)
    throw new ArtifactstoreError('malformed_request', `"limit" must be a whole number from 1 to ${maximum}.`, {
      field: 'limit',
      ...(limit > maximum ? beyond(bound) : {}),
    });
  return limit;
}

/** The limit that was met, for who reads the error; nothing for a text that is refused for something else. */
export function beyond(
  bound: RegistryBound,
  text?: unknown,
): { readonly info?: { readonly bound: RegistryBound; readonly limit: number } } {
  const limit = registryBounds[bound].value;
  if (text !== undefined && !(typeof text === 'string' && isLonger(text, limit))) return {};
  return { info: { bound, limit } };
}

/** Of a query; null where it is not there. */
export function checkTime(text: string | undefined, field: string): string | null {
  if (text === undefined) return null;
  try {
    return readTimestamp(text, field);
  } catch (cause) {
    throw new ArtifactstoreError('malformed_request', `"${field}" must be a time (RFC 3339) such as 2026-01-31T12:00:00Z.`, {
      field,
      cause,
    });
  }
}
