import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { initBucket } from '../../../src/certify/shape/init-bucket.ts';
import type { Connection } from '../../../src/storage/s3/settings.ts';

/** Answers with these in turn: the method that must come, a status, and the code of an error. */
type Script = readonly (readonly [method: string, status: number, code?: string])[];

async function against(script: Script, region = 'auto') {
  const bodies: string[] = [];
  const left = [...script];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [method, status = 500, code] = left.shift() ?? [];
    assert.equal(request.method, method);
    if (method === 'PUT') bodies.push(Buffer.concat(chunks).toString());
    response.writeHead(status).end(code === undefined ? '<ListBucketResult></ListBucketResult>' : `<Error><Code>${code}</Code></Error>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connection: Connection = {
    endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region,
    bucket: 'cosmo',
    forcePathStyle: true,
    credentials: { keys: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }), refused: () => undefined },
    bucketSetting: 'COSMO_S3_BUCKET',
  };
  try {
    return { report: await initBucket(connection), bodies };
  } finally {
    server.closeAllConnections();
    server.close();
    assert.deepEqual(left, []);
  }
}

test('a bucket is asked for without a region first, and with it where the store wants that', async () => {
  const missing = ['GET', 404, 'NoSuchBucket'] as const;
  const plain = await against([missing, ['PUT', 200], ['GET', 200]]);
  assert.deepEqual([plain.report.bucket, plain.report.requests, plain.bodies], ['made', { reading: 2, writing: 1 }, ['']]);
  const told = await against([missing, ['PUT', 400, 'IllegalLocationConstraintException'], ['PUT', 200], ['GET', 200]], 'garage');
  assert.equal(told.report.bucket, 'made');
  assert.match(told.bodies[1] ?? '', /<LocationConstraint>garage</);
});

test("a bucket that was made meanwhile is there, and one of somebody else's is refused", async () => {
  const missing = ['GET', 404, 'NoSuchBucket'] as const;
  const { report } = await against([missing, ['PUT', 409, 'BucketAlreadyOwnedByYou'], ['GET', 200]]);
  assert.equal(report.bucket, 'there');
  await assert.rejects(against([missing, ['PUT', 409, 'BucketAlreadyExists']]), (error: Error & { code?: string; info?: object }) => {
    assert.equal(error.code, 'target_in_use');
    assert.match(JSON.stringify(error.info), /choose another one in COSMO_S3_BUCKET/);
    return true;
  });
});

test('keys that may not make it, and a bucket that is not there afterwards, are told', async () => {
  const missing = ['GET', 404, 'NoSuchBucket'] as const;
  await assert.rejects(
    against([missing, ['PUT', 403, 'AccessDenied']]),
    /Could not make the bucket "cosmo" at .*the keys .*may not do that/,
  );
  await assert.rejects(against([missing, ['PUT', 200], missing]), /Could not look for the bucket that was made at .*no bucket "cosmo"/);
});
