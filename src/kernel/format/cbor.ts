/**
 * The canonical form: RFC 8949 core deterministic encoding (section 4.2.1) of JSON values. A value has one encoding,
 * and whatever else decodes to the same value is refused, so bytes and values can stand for each other.
 */
export { type CborSteps, decodeCbor, stepThroughCbor } from './cbor-decoder.ts';
export { encodeCbor, encodeCborSequence, maximumCborDepth, type RawCbor, spentCborArray } from './cbor-encoder.ts';
