import type { Attack, Attacker } from './attacker.ts';

/** What can be done without being anybody: connections that are many, silent, slow, or do not read. */
export const onConnections: Readonly<Record<string, Attack>> = {
  'requests sent ahead, never read': ({ ignore }) => ignore(41, get('/openapi.json').repeat(1700), 4000),
  'fewer requests sent ahead, never read': ({ ignore }) => ignore(41, get('/openapi.json').repeat(250), 4000),
  'anonymous lists, never read': ({ ignore }) => ignore(100, get('/packages?limit=1000'), 6000),
  'event streams, never read': ({ ignore }) => ignore(100, get('/events?since=0', 'accept: text/event-stream\r\n'), 6000),
  'pages of events, never read': ({ ignore }) => ignore(100, get('/events?since=0&limit=500').repeat(5), 6000),
  'readers who wait for events': ({ ignore }) => ignore(300, get('/events?since=99999999&wait=60'), 5000),
  'silent connections': ({ ignore }) => ignore(1500, '', 5000),
  'connections that come and go': async ({ open, count, signal }) => {
    for (let round = 0; round < 10 && !signal.aborted; round++) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => open()));
      for (const socket of sockets) {
        count('left');
        socket?.destroy();
      }
    }
  },
  'connections that ask once and stay': ({ ignore }) => ignore(1500, get('/livez'), 5000),
  'headers that drip': (attacker) => drip(attacker, 'GET / HTTP/1.1\r\nhost: localhost\r\nx-', 'slow'),
  'JSON that drips': (attacker) =>
    drip(attacker, post('/packages', attacker.token, 'content-type: application/json\r\ncontent-length: 1000\r\n'), '{"name":"'),
  'a refused body that drips': (attacker) => drip(attacker, post('/packages', 'no-such-token', 'content-length: 1000000\r\n'), 'xxxx'),
  'strangers at many addresses': async ({ ignore }) => {
    const paths = ['/packages?limit=1000', '/events?limit=500', '/files?limit=1000', '/events?wait=60&since=99999999'];
    await Promise.all(paths.map((path) => ignore(118, get(path).repeat(3), 6000, manyAddresses)));
  },
  'a list, read by drips': async ({ open, count, pause, signal }) => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open()));
    for (const socket of sockets) {
      if (socket === undefined) continue;
      count('read slowly');
      socket.pause();
      socket.write(get('/packages?limit=1000'));
    }
    for (let round = 0; round < 30 && !signal.aborted; round++) {
      for (const socket of sockets) socket?.read(1000);
      await pause(200);
    }
    for (const socket of sockets) socket?.destroy();
  },
};

/** On Linux all of 127.0.0.0/8 is this machine's. */
export const manyAddresses: readonly string[] = Array.from({ length: 59 }, (_, index) => `127.0.0.${index + 2}`);

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;
}

export function post(path: string, token: string, headers: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n${headers}\r\n`;
}

/** Sixty connections that send a little every now and then. */
export async function drip({ open, count, pause, signal }: Attacker, first: string, then: string): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: 60 }, () => open()));
  for (const socket of sockets) {
    socket?.resume();
    socket?.write(first);
    count('dripped');
  }
  for (let round = 0; round < 25 && !signal.aborted; round++) {
    for (const socket of sockets) if (socket?.writable) socket.write(then[round % then.length]!);
    await pause(250);
  }
  for (const socket of sockets) socket?.destroy();
}
