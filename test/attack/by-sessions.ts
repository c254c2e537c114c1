import type { Attack, Attacker } from './attacker.ts';

/** What a writer can do with write sessions of as many objects as they may have. */
export const bySessions: Readonly<Record<string, Attack>> = {
  'write sessions of many objects': async (attacker) => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => open(attacker)));
    await Promise.all(ids.flatMap((id) => Array.from({ length: 20 }, () => attacker.call('GET', `/write-sessions/${id}`))));
    // They want bytes: each says of all its objects that they are missing.
    await Promise.all(ids.flatMap((id) => Array.from({ length: 5 }, () => attacker.call('POST', `/write-sessions/${id}/commit`))));
    await Promise.all(ids.map((id) => attacker.call('DELETE', `/write-sessions/${id}`)));
  },
  'write sessions that are asked for and never read': async (attacker) => {
    const id = await open(attacker);
    const ask = `GET /write-sessions/${id} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${attacker.token}\r\n\r\n`;
    await attacker.ignore(60, ask.repeat(5), 4000);
    await attacker.call('DELETE', `/write-sessions/${id}`);
  },
  'write sessions that are opened with one key': async (attacker) => {
    const body = announcement();
    const headers = { 'idempotency-key': `one ${Math.random()}` };
    const answers = await Promise.all(Array.from({ length: 20 }, () => attacker.call('POST', '/write-sessions', body, headers)));
    const ids = new Set(answers.filter(({ status }) => status === 200 || status === 201).map(({ body: { id } }) => String(id)));
    if (ids.size > 1) attacker.fault('one key opened two sessions');
    for (const id of ids) await attacker.call('DELETE', `/write-sessions/${id}`);
  },
};

async function open({ call }: Pick<Attacker, 'call'>): Promise<string> {
  return String((await call('POST', '/write-sessions', announcement(), { 'idempotency-key': `${Math.random()}` })).body.id);
}

/** Names whose addresses are three times as long. */
function announcement(): object {
  const objects = Array.from({ length: 10_000 }, (_, index) => {
    return { name: `${'ü'.repeat(60)}/${index}`, sha256: index.toString(16).padStart(64, '0'), size_bytes: 1 };
  });
  return { scope: 's', producer: 'attack', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
}
