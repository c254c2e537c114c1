import type { Attack, Attacker } from './attacker.ts';
import { get, manyAddresses } from './on-connections.ts';

const megabyte = 1_000_000;
const about = { name: 'n', producer: 'attack', subject: 's', retention_class: 'transient' };

/** What a writer can do by sending much, and anybody by asking for it. */
export const bySize: Readonly<Record<string, Attack>> = {
  'packages with a megabyte of metadata, and lists of them': async ({ call, ignore, token, signal }) => {
    for (let made = 0; made < 12 && !signal.aborted; made++)
      await call('POST', '/packages', { ...about, metadata: { text: 'x'.repeat(megabyte) } });
    await Promise.all(Array.from({ length: 6 }, () => call('GET', '/packages?producer=attack&limit=1000')));
    await ignore(50, get('/packages?producer=attack&limit=500', `authorization: Bearer ${token}\r\n`).repeat(3), 3000);
  },
  'metadata of 100,000 keys': async ({ call }) => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [index.toString(36), 0]));
    await Promise.all([1, 2].map(() => call('POST', '/packages', { ...about, metadata: keys })));
  },
  'hold upon hold': async (attacker) => {
    held ||= await newPackage(attacker);
    const hold = async (): Promise<void> => {
      for (let made = 0; made < 200 && !attacker.signal.aborted; made++)
        await attacker.call('POST', `/packages/${held}/retention/holds`, { reason: 'r'.repeat(1024) });
    };
    await Promise.all(Array.from({ length: 16 }, hold));
    await Promise.all(Array.from({ length: 8 }, () => attacker.call('GET', `/packages/${held}/retention`)));
    await attacker.ignore(50, get(`/packages/${held}/retention`).repeat(5), 2000);
  },
  'a body of 99,999 parts': async (attacker) => {
    const id = await newPackage(attacker);
    multipart ||= parts(99_999);
    const { status } = await attacker.call('POST', `/packages/${id}/files`, multipart, {
      'content-type': 'multipart/form-data; boundary=b',
    });
    if (status !== 201) return;
    await attacker.call('POST', `/packages/${id}/finalize`, {});
    await attacker.ignore(30, get(`/packages/${id}/archive`), 2000);
    await attacker.ignore(30, get(`/packages/${id}/manifest.json`), 2000);
  },
  'a large file, never read': async (attacker) => {
    large ||= await newPackage(attacker);
    await attacker.call('PUT', `/packages/${large}/files/large`, new Uint8Array(64 * megabyte));
    await attacker.ignore(60, get(`/packages/${large}/files/large`), 5000);
  },
  'an archive whose manifest.json never ends': (attacker) => sendTar(attacker, [header('manifest.json', 8 ** 11 - 1), '[', spaces]),
  'an archive whose manifest.json is deep': (attacker) =>
    sendTar(attacker, [header('manifest.json', 8 * megabyte), '['.repeat(8 * megabyte)]),
  'archives whose manifest.json is long': async (attacker) => {
    const manifest = `{"files":[${'{"a":{},"b":[]},'.repeat(250_000)}1]}`;
    const one = (): Promise<void> => sendTar(attacker, [header('manifest.json', manifest.length), manifest]);
    await Promise.all(Array.from({ length: 24 }, one));
  },
  'an archive with a pax header without end': (attacker) => sendTar(attacker, [header('x', 8 ** 11 - 1, 'x'), '99999999 path=', spaces]),
  'an archive with a name without end': (attacker) => sendTar(attacker, [header('././@LongLink', 8 ** 11 - 1, 'L'), spaces]),
  'an archive of 100,000 entries': (attacker) =>
    sendTar(attacker, [Array.from({ length: 100_000 }, (_, index) => header(`f${index}`, 0)).join(''), '\0'.repeat(1024)]),
  'a file that stops in the middle': async ({ call, open, count, pause, token }) => {
    const id = await newPackage({ call });
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open()));
    for (const [index, socket] of sockets.entries()) {
      socket?.write(
        `PUT /packages/${id}/files/${index} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-length: 99999999\r\n\r\n`,
      );
      socket?.write(Buffer.alloc(100_000));
      count('stopped');
    }
    await pause(5000);
    for (const socket of sockets) socket?.destroy();
  },
  'attachments of nothing': async (attacker) => {
    const id = await newPackage(attacker);
    const item = (index: number) => ({ relative_path: `a${index}`, content_address: `sha256:${'0'.repeat(64)}`, size_bytes: 1 });
    const items = Array.from({ length: 1000 }, (_, index) => item(index));
    await Promise.all(Array.from({ length: 4 }, () => attacker.call('POST', `/packages/${id}/files`, { items })));
    await attacker.call('POST', `/packages/${id}/files`, { items: Array.from({ length: 60_000 }, (_, index) => item(index)) });
  },
  'pages with the sealing of many files': async (attacker) => {
    if (!(await sealMany(attacker))) return;
    const path = `/events?event_type=v1.package.finalized&subject_id=${many.id}`;
    const forms = ['application/json', 'application/cbor', 'text/event-stream'].map((type) => `accept: ${type}\r\n`);
    await Promise.all([
      ...forms.map((form) => attacker.ignore(6, get(path, form), 4000)),
      ...forms.map((form) => attacker.ignore(20, get(path, form), 4000, manyAddresses)),
      ...Array.from({ length: 3 }, () => attacker.call('GET', path, undefined, { accept: 'application/json' })),
      ...Array.from({ length: 6 }, () => attacker.call('GET', path)),
    ]);
  },
  'JSON bodies of as many values as may be': async ({ call }) => {
    const values = 99_000;
    const kinds = [
      Array.from({ length: values }, (_, index) => index % 10),
      Array.from({ length: values }, () => ({})),
      Object.fromEntries(Array.from({ length: values }, (_, index) => [index.toString(36), 0])),
      Array.from({ length: 19_000 }, () => ({})),
    ];
    const bodies = kinds.map((kind) => JSON.stringify({ ...about, metadata: { kind } }));
    const type = { 'content-type': 'application/json' };
    await Promise.all(Array.from({ length: 50 }, (_, index) => call('POST', '/packages', bodies[index % bodies.length]!, type)));
  },
  'JSON as deep as it is long': async ({ call }) => {
    for (const text of ['[', '{"a":']) await call('POST', '/packages', text.repeat(150_000), { 'content-type': 'application/json' });
    await call('POST', '/metadata-schemas', `{"slug":"d","json_schema":${'{"not":'.repeat(500_000)}`, {
      'content-type': 'application/json',
    });
  },
};

/** What is made once, and used again in each round. */
let held = '';
let large = '';
let multipart = '';
const many = { id: '', address: '', files: 0, sealed: false };

/** A package whose sealing is an event of some 50 MB: made in as many rounds as it takes. */
async function sealMany(attacker: Attacker): Promise<boolean> {
  many.id ||= await newPackage(attacker);
  if (many.address === '') {
    const { body } = await attacker.call('PUT', `/packages/${many.id}/files/first`, 'hello');
    if (typeof body.content_address !== 'string') return false;
    many.address = body.content_address;
  }
  const annotations = { a: 'a'.repeat(1024), b: 'b'.repeat(1024) };
  while (many.files < 15_000 && !attacker.signal.aborted) {
    const items = Array.from({ length: 1000 }, (_, index) => ({
      relative_path: `${'p'.repeat(200)}/${many.files + index}`,
      content_address: many.address,
      size_bytes: 5,
      annotations,
    }));
    if ((await attacker.call('POST', `/packages/${many.id}/files`, { items })).status >= 300) return false;
    many.files += items.length;
  }
  many.sealed ||= (await attacker.call('POST', `/packages/${many.id}/finalize`, {})).status === 200;
  return many.sealed;
}

async function newPackage({ call }: Pick<Attacker, 'call'>): Promise<string> {
  return String((await call('POST', '/packages', about)).body.id);
}

function parts(count: number): string {
  const part = (index: number): string => `--b\r\ncontent-disposition: form-data; name="f"; filename="p/${index}"\r\n\r\n${index}\r\n`;
  return `${Array.from({ length: count }, (_, index) => part(index)).join('')}--b--\r\n`;
}

const spaces = ' '.repeat(24 * megabyte);

async function sendTar(attacker: Attacker, texts: readonly string[]): Promise<void> {
  const id = await newPackage(attacker);
  await attacker.call('POST', `/packages/${id}/files`, texts.join(''), { 'content-type': 'application/x-tar' });
}

/** Of an entry of a tar archive in the ustar format. */
function header(name: string, size: number, kind = '0'): string {
  const fields = (sum: string): string =>
    `${name.padEnd(100, '\0')}0000644\0${'0000000\0'.repeat(2)}${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0${sum}${kind}${'\0'.repeat(100)}ustar\0${'00'}`.padEnd(
      512,
      '\0',
    );
  const sum = Buffer.from(fields(' '.repeat(8)), 'latin1').reduce((all, byte) => all + byte, 0);
  return fields(`${sum.toString(8).padStart(6, '0')}\0 `);
}
