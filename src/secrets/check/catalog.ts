import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import { isSecretName } from '../secret-name.ts';
import { alphabets, encodings, type Form, type Generated } from './form.ts';
import type { Finding } from './report.ts';

/** One secret, as a catalog declares it (schemas/secret-catalog.v1.json). */
export interface Declaration {
  readonly name: string;
  readonly source: Source;
  /** Who reads it, by name. */
  readonly consumers: readonly string[];
  /** What its value looks like; undefined where anything is taken. */
  readonly form: Form | undefined;
  /** The file that declares it, for messages. */
  readonly file: string;
}

/** Who makes it: we do, another job does, or a person has it from elsewhere; `from` and `by` say who and how. */
export type Source =
  | ({ readonly kind: 'generated' } & Generated)
  | { readonly kind: 'produced_by'; readonly by: string }
  | { readonly kind: 'external'; readonly from: string };

export interface Catalog {
  /** Each name once, the first that declares it. */
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** What is wrong with declarations: all of it, so that one run shows it. */
  readonly findings: readonly Finding[];
}

export interface CatalogFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads catalogs. What is wrong with one declaration is a finding; a file that is no catalog at all is
 * `invalid_configuration`.
 */
export function readCatalogs(files: readonly CatalogFile[]): Catalog {
  const declarations = new Map<string, Declaration>();
  const findings: Finding[] = [];
  for (const { path, bytes } of files)
    for (const [index, value] of secretsIn(path, bytes).entries()) {
      const read = readDeclaration(value, path);
      if ('problem' in read) {
        findings.push({
          secret: read.name ?? `${path}, secret ${index + 1}`,
          kind: 'invalid_declaration',
          problem: `its declaration in ${path} ${read.problem}`,
          remedy: 'correct the catalog: docs/secrets.md has the format',
          consumers: [],
        });
        continue;
      }
      const earlier = declarations.get(read.name);
      if (earlier === undefined) declarations.set(read.name, read);
      else
        findings.push({
          secret: read.name,
          kind: 'declared_twice',
          problem: `is declared in ${earlier.file} and again in ${path}`,
          remedy: 'keep one of them, with the consumers of both',
          consumers: read.consumers,
        });
    }
  return { declarations, findings };
}

function secretsIn(path: string, bytes: Uint8Array): readonly JsonValue[] {
  const refuse = (what: string, cause?: unknown): never => {
    throw new ArtifactstoreError('invalid_configuration', `The catalog ${path} ${what}.`, { field: '--catalog', info: { path }, cause });
  };
  let value: JsonValue | undefined;
  try {
    value = parseJson(bytes, { maximumValues: 200_000 });
  } catch (error) {
    refuse(`is no JSON: ${error instanceof ArtifactstoreError ? error.message.replace(/\.$/, '') : 'unknown'}`, error);
  }
  if (value === undefined || !isJsonObject(value) || !Array.isArray(value.secrets)) return refuse('has no list "secrets"');
  const unknown = Object.keys(value).find((key) => key !== 'secrets' && key !== '$schema');
  return unknown === undefined ? value.secrets : refuse(`has a member ${JSON.stringify(unknown)}, which is not known`);
}

type Refused = { readonly name?: string; readonly problem: string };

const sources = ['generated', 'produced_by', 'external'] as const;

function readDeclaration(value: JsonValue, file: string): Declaration | Refused {
  if (!isJsonObject(value)) return { problem: 'is no object' };
  const { name } = value;
  if (typeof name !== 'string' || !isSecretName(name)) return { problem: 'has no legal "name"' };
  const problem = (text: string): Refused => ({ name, problem: text });
  const known: readonly string[] = ['name', 'consumers', 'form', 'description', ...sources];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) return problem(`has a member ${JSON.stringify(unknown)}, which is not known`);
  const { consumers = [] } = value;
  if (!isTexts(consumers)) return problem('has "consumers" that are no list of names');
  const given = sources.filter((source) => value[source] !== undefined);
  if (given.length !== 1)
    return problem(`has ${given.length === 0 ? 'no source' : `${given.length} sources`}: one of ${sources.join(', ')} it must have`);
  const source = readSource(value);
  if ('problem' in source) return problem(source.problem);
  const form = readForm(value.form, source);
  return form !== undefined && 'problem' in form ? problem(form.problem) : { name, source, consumers, form, file };
}

function readSource({ generated, produced_by, external }: JsonObject): Source | { readonly problem: string } {
  if (produced_by !== undefined)
    return isText(produced_by) ? { kind: 'produced_by', by: produced_by } : { problem: 'has "produced_by" without the name of a job' };
  if (external !== undefined)
    return isText(external)
      ? { kind: 'external', from: external }
      : { problem: 'has "external" without a text of who has it, and how to get it' };
  if (generated === undefined || !isJsonObject(generated)) return { problem: 'has "generated" that is no object' };
  const { bytes, encoding, ...more } = generated;
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 16 || bytes > 96)
    return { problem: 'has "generated" whose "bytes" are not a whole number from 16 to 96' };
  const found = encodings.find((each) => each === encoding);
  if (found === undefined) return { problem: `has "generated" whose "encoding" is not one of ${encodings.join(', ')}` };
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) return { problem: `has "generated" with a member ${JSON.stringify(unknown)}, which is not known` };
  return { kind: 'generated', bytes, encoding: found };
}

function readForm(value: JsonValue | undefined, source: Source): Form | { readonly problem: string } | undefined {
  if (value === undefined) return undefined;
  if (source.kind === 'generated') return { problem: 'has a "form" beside "generated", which has one already' };
  if (!isJsonObject(value)) return { problem: 'has a "form" that is no object' };
  const { characters, alphabet, ...more } = value;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) return { problem: `has a "form" with a member ${JSON.stringify(unknown)}, which is not known` };
  const isLength = characters === undefined || (typeof characters === 'number' && Number.isInteger(characters) && characters > 0);
  if (!isLength) return { problem: 'has a "form" whose "characters" are no whole number' };
  const found = Object.keys(alphabets).find((each) => each === alphabet);
  if (alphabet !== undefined && found === undefined)
    return { problem: `has a "form" whose "alphabet" is not one of ${Object.keys(alphabets).join(', ')}` };
  return { characters, alphabet: found };
}

function isText(value: JsonValue): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isTexts(value: JsonValue): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
