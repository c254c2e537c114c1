import { ArtifactstoreError } from './error.ts';
import { stepThroughCbor } from './format/cbor.ts';
import { inPieces } from './format/cbor-json.ts';
import { canonicalJson } from './format/json.ts';
import { isPlainObject } from './format/json-value.ts';
import { type ManifestFile, parseManifestFile } from './manifest.ts';

/**
 * A manifest that is read out of its bytes bit by bit: as a value a long one takes several times their memory, and to
 * make it takes seconds in which the process does nothing else.
 */
export interface WalkedManifest {
  readonly finalizedAt: string;
  /** Its canonical JSON (RFC 8785), in pieces of about 64 KiB. */
  json(): Generator<string, void, undefined>;
  files(): Generator<ManifestFile, void, undefined>;
}

interface Member {
  readonly key: string;
  readonly at: number;
}

/** After so many items whoever walks may rest. */
const itemsAtOnce = 100;

/**
 * Looks where its members are. Yields where others can be served. Errors: `integrity_failure` for bytes that are no
 * canonical CBOR, or no manifest of version 1.
 */
export function* walkManifest(bytes: Uint8Array): Generator<undefined, WalkedManifest, undefined> {
  const steps = stepThroughCbor(bytes);
  const count = steps.into('map');
  if (count === undefined) throw noManifest('it is no object');
  const members: Member[] = [];
  for (let index = 0; index < count; index++) {
    const key = steps.key();
    members.push({ key, at: steps.at() });
    const items = steps.into('array');
    if (items === undefined) steps.value();
    else
      for (let item = 1; item <= items; item++) {
        steps.value();
        if (item % itemsAtOnce === 0) yield;
      }
  }
  if (!steps.ended()) throw noManifest('there is something after it');
  const member = (key: string) => {
    const found = members.find((each) => each.key === key);
    if (found === undefined) throw noManifest(`it has no ${key}`);
    return stepThroughCbor(bytes, found.at);
  };
  if (member('manifest_version').value() !== 1) throw noManifest('its version is not 1');
  const provenance = member('provenance').value();
  if (!isPlainObject(provenance) || typeof provenance.finalized_at !== 'string') throw noManifest('it does not say when it was sealed');

  return {
    finalizedAt: provenance.finalized_at,
    json: () => inPieces(textOf(bytes, members)),
    *files() {
      const files = member('files');
      const length = files.into('array') ?? 0;
      for (let index = 0; index < length; index++) yield parseManifestFile(files.value(), index);
    },
  };
}

function* textOf(bytes: Uint8Array, members: readonly Member[]): Generator<string, void, undefined> {
  // Keys are ASCII, or of a later version: by UTF-16 code units, as everywhere in canonical JSON.
  const sorted = members.toSorted((left, right) => (left.key < right.key ? -1 : 1));
  yield '{';
  for (const [index, { key, at }] of sorted.entries()) {
    yield `${index === 0 ? '' : ','}${canonicalJson(key)}:`;
    const steps = stepThroughCbor(bytes, at);
    const items = steps.into('array');
    if (items === undefined) yield canonicalJson(steps.value());
    else {
      yield '[';
      for (let item = 0; item < items; item++) yield `${item === 0 ? '' : ','}${canonicalJson(steps.value())}`;
      yield ']';
    }
  }
  yield '}';
}

function noManifest(reason: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The manifest can't be read as a manifest: ${reason}.`);
}
