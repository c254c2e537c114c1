import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Finding } from './certificate.ts';
import { differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { putBySdk, type SdkHabit } from './sdk.ts';
import { head, holds, isThere, md5, put, refused, told } from './steps.ts';
import type { Call } from './wire.ts';

const family = 'checksums';
const way = 'bytes can change on their way';
const habit = 'other tools write to the bucket as their SDK does';

export const checksums: readonly Probe[] = [
  {
    id: 'checksums.content-sha256',
    family,
    title: 'a body that is not what its signed SHA-256 says is refused',
    why: `${way}; the backend binds every body so`,
    run: (context) => refuses(context, { payload: '0'.repeat(64) }),
  },
  {
    id: 'checksums.content-md5',
    family,
    title: 'a body that is not what its Content-MD5 says is refused',
    why: `${way}; where the SHA-256 is ignored, the backend binds bodies so`,
    run: (context) => refuses(context, { headers: { 'content-md5': md5('another') } }),
  },
  {
    id: 'checksums.right-md5',
    family,
    title: 'a right Content-MD5 is accepted',
    why: way,
    async run(context) {
      await put(context, context.key(), 'bytes', { headers: { 'content-md5': md5('bytes') } });
      return pass('it is');
    },
  },
  {
    id: 'checksums.wrong-crc32',
    family,
    title: 'a body that is not what its x-amz-checksum-crc32 says is refused',
    why: way,
    run: (context) =>
      refuses(context, { headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of('another') } }),
  },
  {
    id: 'checksums.wrong-sha256',
    family,
    title: 'a body that is not what its x-amz-checksum-sha256 says is refused',
    why: way,
    run: (context) => refuses(context, { headers: { 'x-amz-checksum-sha256': Buffer.alloc(32).toString('base64') } }),
  },
  {
    id: 'checksums.right-crc32',
    family,
    title: 'a right x-amz-checksum-crc32 is accepted',
    why: habit,
    async run(context) {
      const headers = { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of('bytes') };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'bytes', headers });
      return reply.status < 300 ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'checksums.kept',
    family,
    title: 'a checksum is kept and shown',
    why: 'objects can be compared without being read',
    async run(context) {
      const headers = { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of('bytes') };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'bytes', headers });
      if (reply.status >= 300) return differs(`the write ${told(reply)}`);
      const { headers: found } = await head(context, context.key(), { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
      return found['x-amz-checksum-crc32'] === headers['x-amz-checksum-crc32'] ? pass('it is') : differs('it is not');
    },
  },
  {
    id: 'checksums.trailer',
    family,
    title: 'a body in chunks with its checksum behind it is taken apart',
    why: habit,
    async run(context) {
      const reply = await context.wire.send(chunked(context, crc32Of('bytes')));
      if (reply.status >= 300) return fail(told(reply));
      await holds(context, context.key(), Buffer.from('bytes'));
      return pass(told(reply));
    },
  },
  {
    id: 'checksums.wrong-trailer',
    family,
    title: 'a body that is not what the checksum behind it says is refused',
    why: way,
    async run(context) {
      const reply = await context.wire.send(chunked(context, crc32Of('another')));
      if (reply.status < 300) return fail('accepted');
      return (await isThere(context, context.key())) ? fail(`${told(reply)}, and the object is there`) : pass(told(reply));
    },
  },
  sdk('sdk-default-buffer', 'the SDK with its defaults writes from memory', 'WHEN_SUPPORTED', 'buffer'),
  sdk('sdk-default-stream', 'the SDK with its defaults writes a stream', 'WHEN_SUPPORTED', 'stream'),
  sdk('sdk-required-buffer', 'the SDK without checksums writes from memory', 'WHEN_REQUIRED', 'buffer'),
  sdk('sdk-required-stream', 'the SDK without checksums writes a stream', 'WHEN_REQUIRED', 'stream'),
];

function sdk(name: string, title: string, checksumHabit: SdkHabit, from: 'buffer' | 'stream'): Probe {
  return {
    id: `checksums.${name}`,
    family,
    title,
    why: checksumHabit === 'WHEN_REQUIRED' ? 'the backend writes so' : habit,
    async run(context) {
      // Long enough for the SDK to ask before it sends.
      const body = context.bytes(3 * 1024 ** 2);
      await putBySdk(
        context,
        context.key(),
        from === 'buffer' ? body : Readable.from([body], { objectMode: false }),
        body.length,
        checksumHabit,
      );
      await holds(context, context.key(), body);
      return pass('3 MiB');
    },
  };
}

async function refuses(context: ProbeContext, more: Omit<Call, 'key'>): Promise<Finding> {
  const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'bytes', ...more });
  if (reply.status < 300) return fail('accepted');
  if (await isThere(context, context.key())) return fail(`${told(reply)}, and the object is there`);
  return refused(reply) ? pass(told(reply)) : fail(told(reply));
}

function chunked(context: ProbeContext, checksum: string): Call {
  return {
    method: 'PUT',
    key: context.key(),
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '5',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    },
    body: `5\r\nbytes\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`,
  };
}

function crc32Of(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}
