import type { Finding } from './certificate.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { get, listAll, refused, told } from './steps.ts';

const family = 'keys';
const why = 'two names must never be one object, nor one name two';

export const keys: readonly Probe[] = [
  ask('percent', 'percent signs are themselves', ['a%2Fb', 'a/b', 'a%b', '100%']),
  ask('plus', 'a plus sign is no space', ['a+b', 'a b']),
  ask('spaces', 'spaces stay, at the ends and in a row', ['a  b', 'a b', ' a', 'a ']),
  ask('unicode', 'keys are UTF-8, not normalised', ['é', 'e\u0301', '文件', '🙂']),
  ask('newline', 'a key may hold a line end', ['a\nb', 'a\tb']),
  ask('case', 'capitals and small letters differ', ['Key', 'key']),
  ask('marks', 'marks of punctuation stay', ["a!b'c(d)e*f", 'a&b$c@d=e;f:g,h', 'a<b>c"d#e?f', 'a~b_c-d']),
  ask('slashes', 'slashes in a row stay', ['a//b', 'a/c/']),
  ask('dots', 'dots stay', ['a..b', '.a', 'a.']),
  ask('long', 'a key of 900 bytes', ['k'.repeat(800)]),
  {
    id: 'keys.plain',
    family,
    title: "the backend's own keys come back as they are",
    why: 'every stored object has one',
    run: (context) => roundTrip(context, [`blake3/ab/cd/${'abcd'.repeat(16)}`, `blake3/ab/cd/${'abcd'.repeat(16)}.1`]),
  },
];

function ask(name: string, title: string, names: readonly string[]): Probe {
  return { id: `keys.${name}`, family, title, why, run: (context) => roundTrip(context, names) };
}

/** Each key holds its own bytes, and the list shows exactly these keys. */
async function roundTrip(context: ProbeContext, names: readonly string[]): Promise<Finding> {
  const bodies = new Map(names.map((name) => [context.key(name), context.bytes(100)]));
  for (const [key, body] of bodies) {
    const reply = await context.wire.send({ method: 'PUT', key, body });
    if (refused(reply)) return differs(`${shown(context, key)} is refused: ${told(reply)}`);
    demand(reply.status < 300, `a write ${told(reply)}`);
  }
  for (const [key, body] of bodies) {
    const found = await get(context, key);
    if (!found.body.equals(body)) return fail(`${shown(context, key)} is another object`);
  }
  const listed = (await listAll(context, context.prefix)).keys.toSorted();
  const expected = [...bodies.keys()].toSorted();
  if (listed.join('\0') === expected.join('\0')) return pass(`${names.length} keys`);
  const odd = listed.filter((key) => !bodies.has(key)).map((key) => shown(context, key));
  return fail(`the list shows ${listed.length} of ${expected.length}${odd.length === 0 ? '' : `, among them ${odd.join(', ')}`}`);
}

function shown(context: ProbeContext, key: string): string {
  return JSON.stringify(key.startsWith(context.prefix) ? key.slice(context.prefix.length) : key);
}
