import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ArtifactstoreError } from '../kernel/error.ts';

/** Whether an IP address leads to this machine and nowhere else: 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && own.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

const own = new BlockList();
own.addSubnet('127.0.0.0', 8, 'ipv4');
own.addAddress('::1', 'ipv6');

/**
 * The address to listen on for a host that is asked for: an IP address, or a name all of whose addresses are this
 * machine's own. Throws `invalid_configuration` for every other. `localhost` is left as it is.
 */
export async function loopbackOf(host: string): Promise<string> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare.toLowerCase() === 'localhost') return 'localhost';
  const addresses = isIP(bare) === 0 ? await addressesOf(bare) : [bare];
  const elsewhere = addresses.find((address) => !isLoopback(address));
  if (elsewhere !== undefined) throw notLoopback(host, elsewhere === bare ? '' : `, which is ${elsewhere}`);
  return addresses[0]!;
}

/** Throws unless the address that a server says it listens on is one of this machine alone. */
export function requireLoopback(url: string): void {
  const { hostname } = new URL(url);
  if (!isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))) throw notLoopback(hostname, '');
}

async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    const found = name === '' ? [] : await lookup(name, { all: true });
    if (found.length === 0) throw new Error('The name has no address.');
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new ArtifactstoreError('invalid_configuration', `Can't listen on "${name}": its address is not known.`, {
      field: '--host',
      info: { hint: 'name an address of this machine alone, such as 127.0.0.1' },
      cause,
    });
  }
}

function notLoopback(host: string, which: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'invalid_configuration',
    `Can't listen on "${host}"${which}: others could reach it, and bundles are served to this machine alone.`,
    { field: '--host', info: { hint: 'leave --host out, or name an address from 127.0.0.0/8, ::1 or localhost' } },
  );
}
