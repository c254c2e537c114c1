import { ArtifactstoreError } from '../../kernel/error.ts';
import type { TomlPath } from '../../protocol/toml.ts';
import type { Place } from '../../protocol/toml-places.ts';
import type { Finding } from './access-file.ts';

type Add = (path: TomlPath, message: string, part?: 'key' | 'value') => void;

/** What is found in a file, at the place of each entry. */
export interface Findings {
  readonly error: Add;
  readonly warn: Add;
  errorAt(place: Place, message: string): void;
  placeOf(path: TomlPath): Place;
  /** In the order of the file. */
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

export function collectFindings(placeOf: (path: TomlPath, part?: 'key' | 'value') => Place): Findings {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  const addTo =
    (list: Finding[]): Add =>
    (path, message, part = 'key') =>
      void list.push({ ...placeOf(path, part), message });
  const inOrder = (list: readonly Finding[]) => [...list].sort((a, b) => a.line - b.line || a.column - b.column);
  return {
    error: addTo(errors),
    warn: addTo(warnings),
    errorAt: (place, message) => void errors.push({ ...place, message }),
    placeOf,
    get errors() {
      return inOrder(errors);
    },
    get warnings() {
      return inOrder(warnings);
    },
  };
}

const mostShown = 100;

/** All of them in one `invalid_configuration`: `info.problems` has each with its line and column, both from 1. */
export function accessFileError(path: string, errors: readonly Finding[]): ArtifactstoreError {
  const shown = errors.slice(0, mostShown);
  const more = errors.length > shown.length ? [`  and ${errors.length - shown.length} more`] : [];
  const lead = `The access file "${path}" is wrong${errors.length === 1 ? '' : ` in ${errors.length} places`}`;
  return new ArtifactstoreError('invalid_configuration', `${lead}:\n${[...shown.map(findingText), ...more].join('\n')}`, {
    field: 'ARTIFACTSTORE_ACCESS_CONFIG_PATH',
    info: { path, problems: shown.map(({ line, column, message }) => ({ line, column, message })) },
  });
}

function findingText({ line, column, message }: Finding): string {
  return `  line ${line}, column ${column}: ${message}`;
}

/** As a message shows a value that somebody wrote: on one line, and not without end. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
