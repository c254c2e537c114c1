import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { run } from '../../../src/cli/run.ts';
import { outletOf } from '../../../src/cli/terminal/outlet.ts';

/** A stream whose reader takes a piece when it is told to. */
function handed(): { readonly stream: NodeJS.WriteStream; readonly taken: Uint8Array[]; take(): boolean } {
  const taken: Uint8Array[] = [];
  let next: (() => void) | undefined;
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      next = () => {
        taken.push(chunk);
        done();
      };
    },
  });
  return {
    stream: stream as NodeJS.WriteStream,
    taken,
    take() {
      const taking = next;
      next = undefined;
      taking?.();
      return taking !== undefined;
    },
  };
}

describe('an outlet', () => {
  test('is waited for while its reader takes something, however slowly, and no longer', async () => {
    const { stream, taken, take } = handed();
    const outlet = outletOf(stream);
    const text = 'ü'.repeat(10_000);
    outlet.write(text);
    const slow = setInterval(take, 20).unref();
    assert.equal(await outlet.settle(200), 0);
    clearInterval(slow);
    assert.equal(Buffer.concat(taken).toString(), text);
    outlet.write('and more');
    assert.equal(await outlet.settle(20), 8);
  });

  test('lets who writes without end wait for a reader that lags behind', async () => {
    const { stream, take } = handed();
    const outlet = outletOf(stream);
    await outlet.ready();
    outlet.write('x'.repeat(100_000));
    let ready = false;
    const waiting = outlet.ready().then(() => {
      ready = true;
    });
    await new Promise(setImmediate);
    assert.equal(ready, false);
    while (!ready && take()) await new Promise(setImmediate);
    await waiting;
    stream.destroy(Object.assign(new Error('closed'), { code: 'EPIPE' }));
    outlet.write('x'.repeat(100_000));
    await outlet.ready();
    assert.deepEqual([outlet.ended.aborted, outlet.failure, outlet.lost], [true, undefined, '']);
  });

  test('ends without a fault when its reader ends while a write is under way', async () => {
    const { stdin } = spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] }).once('spawn', function (this: ChildProcess) {
      // More than the pipe holds, so that the write waits.
      outlet.write('x'.repeat(10_000_000));
      setTimeout(() => this.kill('SIGKILL'), 50);
    });
    const outlet = outletOf(stdin as Writable as NodeJS.WriteStream);
    await once(outlet.ended, 'abort');
    assert.deepEqual([outlet.failure, outlet.lost], [undefined, '']);
  });

  test('that nobody reads makes a command that is done end, and say so', async () => {
    const [stdout, stderr] = [handed(), handed()];
    const reading = setInterval(stderr.take, 5).unref();
    const streams = { stdin: process.stdin, stdout: stdout.stream, stderr: stderr.stream };
    const nothing = () => Promise.reject(new Error('nothing is opened here'));
    const doors = {
      openStore: nothing,
      certify: nothing,
      provider: nothing,
      store: nothing,
      checkBackup: nothing,
      checkConfig: nothing,
      restore: nothing,
    };
    assert.equal(await run(['version'], { version: '1.2.3', environment: {}, directory: '/', ...streams, ...doors }, {}, 30), 1);
    clearInterval(reading);
    assert.match(Buffer.concat(stderr.taken).toString(), /^error: Nobody has read the last 6 bytes of the output\./);
  });
});
