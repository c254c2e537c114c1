import type { Attack, Attacker } from './attacker.ts';
import { drip } from './on-connections.ts';

const tus = { 'tus-resumable': '1.0.0' };
const bytesOfTus = { ...tus, 'content-type': 'application/offset+octet-stream' };

/** What a writer can do with uploads that resume, and with archives that are asked for by a list of paths. */
export const byUploads: Readonly<Record<string, Attack>> = {
  'uploads that are opened and left': async (attacker) => {
    const left: string[] = [];
    const open = async (): Promise<void> => {
      for (let made = 0; made < 40 && !attacker.signal.aborted; made++) {
        const { status, body } = await attacker.call('POST', '/uploads', { expected_size_bytes: 1_000_000 });
        if (status === 201) left.push(String(body.id));
        else if (status >= 400 && status < 500 && status !== 403) attacker.fault(`an upload was refused with ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 30 }, open));
    // Others of these attacks need some.
    await Promise.all(left.map((id) => attacker.call('DELETE', `/uploads/${id}`)));
  },
  'uploads that drip': async (attacker) => {
    const id = await begin(attacker);
    const path = `/uploads/${id}`;
    await drip(attacker, head(attacker, 'PUT', path, 'content-length: 1000000\r\n'), 'xxxx');
  },
  'uploads by tus that drip, each its own': async ({ open, count, pause, signal, ...attacker }) => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => begin({ ...attacker })));
    const sockets = await Promise.all(ids.map(() => open()));
    for (const [index, socket] of sockets.entries()) {
      socket?.write(
        head(attacker, 'PATCH', `/uploads/${ids[index]}`, `${fields(bytesOfTus)}upload-offset: 0\r\ncontent-length: 900000\r\n`),
      );
      count('dripped');
    }
    for (let round = 0; round < 25 && !signal.aborted; round++) {
      for (const socket of sockets) if (socket?.writable) socket.write('x');
      await pause(250);
    }
    for (const socket of sockets) socket?.destroy();
  },
  'offsets that are wrong': async (attacker) => {
    const id = await begin(attacker);
    for (const offset of ['-1', '1', '5', '1e3', '0x0', '1.0', '', 'NaN', '9007199254740993', '99999999999999999999', '0, 0']) {
      const asked = [
        await attacker.call('PATCH', `/uploads/${id}`, 'x', { ...bytesOfTus, 'upload-offset': offset }),
        await attacker.call('PATCH', `/uploads/${id}`, 'x', {
          ...{ 'content-type': 'application/partial-upload', 'upload-complete': '?0', 'upload-offset': offset },
        }),
        await attacker.call('PUT', `/uploads/${id}`, 'x', { 'content-range': `bytes ${offset}-${offset}/10` }),
      ];
      for (const { status } of asked) if (status >= 200 && status < 300) attacker.fault(`the offset "${offset}" was answered ${status}`);
    }
  },
  'metadata of uploads as long as may be': async (attacker) => {
    const pair = (index: number): string => `k${index} ${'A'.repeat(400)}`;
    const many = Array.from({ length: 70 }, (_, index) => pair(index)).join(',');
    const broken = [`${many},a %`, many.replace('k1 ', 'k0 '), `${many.slice(0, -1)}*`, ','.repeat(20_000), `${'k'.repeat(28_000)} A`];
    for (const metadata of broken) {
      const { status } = await attacker.call('POST', '/uploads', undefined, { ...tus, 'upload-length': '1', 'upload-metadata': metadata });
      if (status === 201) attacker.fault(`${metadata.slice(0, 50)}… was taken`);
    }
    for (let made = 0; made < 50 && !attacker.signal.aborted; made++)
      await attacker.call('POST', '/uploads', undefined, { ...tus, 'upload-length': '1', 'upload-metadata': many });
  },
  'uploads that are joined again and again': async (attacker) => {
    let id = await begin(attacker, 1);
    await attacker.call('PATCH', `/uploads/${id}`, 'x', { ...bytesOfTus, 'upload-offset': '0' });
    for (let round = 0; round < 4 && !attacker.signal.aborted; round++) {
      const final = `final;${Array.from({ length: 500 }, () => `/uploads/${id}`).join(' ')}`;
      const socket = await attacker.talk(
        head(attacker, 'POST', '/uploads', `${fields(tus)}upload-concat: ${final}\r\ncontent-length: 0\r\nconnection: close\r\n`),
        10_000,
      );
      const joined = /location: \/uploads\/(\S+)/i.exec(socket)?.[1];
      if (joined === undefined) return;
      id = joined;
    }
    attacker.fault('an upload is of 500⁴ pieces');
  },
  'many writers of one upload': async (attacker) => {
    const id = await begin(attacker);
    const body = new Uint8Array(200_000);
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2 === 0
          ? attacker.call('PUT', `/uploads/${id}`, body, { 'content-range': 'bytes 0-199999/1000000' })
          : attacker.call('GET', `/uploads/${id}`),
      ),
    );
    await attacker.call('DELETE', `/uploads/${id}`);
  },
  'uploads that are sent and abandoned': async (attacker) => {
    const one = async (): Promise<void> => {
      const id = await begin(attacker);
      const sending = attacker.call('PUT', `/uploads/${id}`, new Uint8Array(1_000_000));
      await attacker.call('DELETE', `/uploads/${id}`);
      await sending;
    };
    for (let round = 0; round < 5 && !attacker.signal.aborted; round++) await Promise.all(Array.from({ length: 12 }, one));
  },
  'archives of many paths, never read': async (attacker) => {
    if (!(await seal(attacker))) return;
    const path = `/packages/${sealed.id}/archive`;
    const body = JSON.stringify({ relative_paths: sealed.paths });
    const request = head(attacker, 'POST', path, `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`) + body;
    await attacker.ignore(60, request.repeat(3), 4000);
    for (const relative_paths of [Array.from({ length: 100_000 }, () => 'f0'), ['../f0'], ['f0', 'f0'], [], ['none'], 'f0', [1]])
      await attacker.call('POST', path, { relative_paths });
  },
};

const sealed = { id: '', paths: Array.from({ length: 500 }, (_, index) => `${'d/'.repeat(50)}f${index}`), done: false };

async function seal({ call }: Attacker): Promise<boolean> {
  if (sealed.done) return true;
  const { body } = await call('POST', '/packages', { name: 'n', producer: 'attack', subject: 's', retention_class: 'transient' });
  const parts = sealed.paths.map(
    (path) => `--b\r\ncontent-disposition: form-data; name="f"; filename="${path}"\r\n\r\n${path.repeat(20)}\r\n`,
  );
  const type = { 'content-type': 'multipart/form-data; boundary=b' };
  if ((await call('POST', `/packages/${body.id}/files`, `${parts.join('')}--b--\r\n`, type)).status !== 201) return false;
  sealed.id = String(body.id);
  sealed.done = (await call('POST', `/packages/${body.id}/finalize`, {})).status === 200;
  return sealed.done;
}

async function begin({ call }: Pick<Attacker, 'call'>, expected_size_bytes = 1_000_000): Promise<string> {
  return String((await call('POST', '/uploads', { expected_size_bytes })).body.id);
}

function fields(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function head({ token }: Pick<Attacker, 'token'>, method: string, path: string, headers: string): string {
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n${headers}\r\n`;
}
