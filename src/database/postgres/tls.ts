import { createConnection, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { type PostgresAddress, type TlsOptions, tlsOptions } from './address.ts';

/**
 * What a new connection to the server is to use: TLS with these options, or none. With `prefer` the server is asked
 * what it can.
 */
export async function chooseTls(address: PostgresAddress): Promise<TlsOptions | false> {
  if (address.sslMode === 'disable') return false;
  const options = tlsOptions(address);
  return address.sslMode !== 'prefer' || (await speaksTls(address, options)) ? options : false;
}

/** The eight bytes that ask for TLS, https://www.postgresql.org/docs/current/protocol-message-formats.html. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Whether a server offers TLS and it can be set up. Rejects with the system's error, or `timeout expired`, where it
 * cannot be reached.
 */
function speaksTls({ host, port, connectMilliseconds }: PostgresAddress, options: TlsOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const plain = createConnection({ host, port, timeout: connectMilliseconds }, () => plain.write(sslRequest));
    const answer = (yes: boolean, socket: Socket): void => {
      socket.destroy();
      resolve(yes);
    };
    const late = (): void => void plain.destroy(new Error('timeout expired'));
    const closed = (): void => reject(new Error('Connection terminated unexpectedly'));
    plain.on('timeout', late);
    plain.on('close', closed);
    plain.on('error', reject);
    plain.once('data', (bytes) => {
      // What has no TLS says N, and a server that is full or starts an error: E.
      if (bytes[0] !== offered && bytes[0] !== 0x4e && bytes[0] !== 0x45) return void plain.destroy(new Error(foreignAnswer));
      if (bytes[0] !== offered) return answer(false, plain);
      // From here on the socket is the other's, which ends it, too.
      plain.off('timeout', late);
      plain.off('close', closed);
      const { ca, ...rest } = options;
      const secure = connect({ ...rest, ...(ca === undefined ? {} : { ca: [...ca] }), socket: plain, host, timeout: connectMilliseconds });
      secure.on('secureConnect', () => answer(true, secure));
      for (const event of ['timeout', 'error', 'close']) secure.on(event, () => answer(false, secure));
    });
  });
}

/** Neither of the two letters with which a server of PostgreSQL answers, nor its error. */
const foreignAnswer = 'not an answer of PostgreSQL';
/** `S`, with which a server agrees to TLS. */
const offered = 0x53;
