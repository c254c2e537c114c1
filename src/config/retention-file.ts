import type { RetentionClass } from '../kernel/retention.ts';
import { plainText } from '../protocol/plain-text.ts';
import { isTable, parseToml, type TomlPath } from '../protocol/toml.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { readAtMostSync } from '../runtime/read-at-most.ts';

/**
 * Reads retention classes from a TOML file: `[retention_classes.<slug>]` with `default_duration_seconds = n`, left out
 * for "never". Errors name the file, and the line where the syntax is wrong or the entry stands.
 */
export function readRetentionClasses(path: string): readonly RetentionClass[] {
  const text = textAt(path);
  const document = parseToml(text);
  if ('problem' in document) throw new Error(`${path}, line ${document.place.line}: ${document.problem}`);
  const { table } = document;
  const refuse = (entry: TomlPath, reason: string): never => {
    throw new Error(`${path}, line ${document.placeOf(entry).line}: ${reason}`);
  };
  for (const key of Object.keys(table))
    if (key !== 'retention_classes') refuse([key], `"${key}" is not known here; only [retention_classes.<slug>] is`);
  const classes = table.retention_classes ?? {};
  if (!isTable(classes)) return refuse(['retention_classes'], 'retention_classes must be a table: [retention_classes.<slug>]');
  return Object.entries(classes).map(([slug, entry]): RetentionClass => {
    if (!/^[a-z0-9][a-z0-9._-]{0,127}$/.test(slug))
      refuse(['retention_classes', slug], `"${slug}" is not a slug: lowercase letters, digits and . _ -`);
    if (!isTable(entry)) return refuse(['retention_classes', slug], `retention_classes.${slug} must be a table`);
    for (const key of Object.keys(entry))
      if (key !== 'default_duration_seconds')
        refuse(['retention_classes', slug, key], `retention_classes.${slug} knows default_duration_seconds only, not "${key}"`);
    const seconds = entry.default_duration_seconds ?? null;
    if (seconds !== null && !(typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0 && seconds <= longestSeconds))
      return refuse(
        ['retention_classes', slug, 'default_duration_seconds'],
        `retention_classes.${slug}: default_duration_seconds must be a whole number of seconds from 1 to ${longestSeconds}`,
      );
    return { slug, default_duration_seconds: seconds };
  });
}

/** A thousand years: beyond it, say "never". Expiry stays a four-digit year. */
const longestSeconds = 31_557_600_000;

const longestFile = 1_048_576;

function textAt(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readAtMostSync(path, longestFile);
  } catch (error) {
    throw errnoCode(error) === undefined ? error : new Error(`${path} can't be read: ${fileReason(error)}`);
  }
  const plain = bytes.length > longestFile ? { problem: `it has more than ${longestFile} bytes` } : plainText(bytes);
  if ('text' in plain) return plain.text;
  throw new Error(`${path} is no file of retention classes: ${plain.problem}`);
}
