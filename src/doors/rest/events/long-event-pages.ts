import { stepThroughCbor } from '../../../kernel/format/cbor.ts';
import { jsonPiecesOf, stepOver } from '../../../kernel/format/cbor-json.ts';
import { giveBack } from '../../../runtime/give-back.ts';
import { rested } from '../sealed-manifests.ts';

/**
 * A longer page has the sealing of a package of many files: to make its value and its text takes seconds, in which
 * nobody else is served, and several times its memory. It is made with rests, out of the page's bytes, which are given
 * back then.
 */
export const longPageBytes = 262_144;

/** A page as JSON. */
export async function jsonOfLongPage(page: Uint8Array): Promise<Buffer> {
  const parts: Buffer[] = [];
  await rested(jsonPiecesOf(stepThroughCbor(page)), (piece) => void parts.push(Buffer.from(piece)));
  return joined(page, parts);
}

/** A page's events as Server-Sent Events. */
export async function streamTextOfLongPage(page: Uint8Array): Promise<Buffer> {
  const parts: Buffer[] = [];
  const put = (text: string): void => void parts.push(Buffer.from(text));
  const steps = stepThroughCbor(page);
  // The first member of a page is its items.
  steps.into('map');
  steps.key();
  const count = steps.into('array') ?? 0;
  for (let event = 0; event < count; event++) {
    const at = steps.at();
    const names = new Map<string, unknown>();
    const members = steps.into('map') ?? 0;
    for (let index = 0; index < members; index++) {
      const key = steps.key();
      if (key === 'payload') await rested(stepOver(steps));
      else names.set(key, steps.value());
    }
    put(`id: ${names.get('sequence')}\nevent: ${names.get('event_type')}\ndata: `);
    await rested(jsonPiecesOf(stepThroughCbor(page, at)), put);
    put('\n\n');
  }
  return joined(page, parts);
}

/** What is as long as the page is given back at once: until the collector looks there would be several. */
function joined(page: Uint8Array, parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(parts);
  for (const part of [page, ...parts]) giveBack(part);
  return whole;
}
