import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sendable } from '../../../src/client/wire/body.ts';
import { encodeMultipart } from '../../../src/client/wire/multipart.ts';

describe('a body that reuses its buffer', () => {
  async function* reusing(): AsyncIterable<Uint8Array> {
    const buffer = Buffer.alloc(4);
    for (const text of ['one ', 'two ', 'end.']) {
      buffer.write(text);
      yield buffer;
    }
  }

  it('is kept as it was given', async () => {
    const kept = await sendable(reusing());
    assert.ok(kept instanceof Uint8Array);
    assert.equal(Buffer.from(kept).toString(), 'one two end.');
  });

  it('is sent as it was given among many', async () => {
    async function* files() {
      yield { relative_path: 'a', body: reusing() };
    }
    const { body } = await encodeMultipart(files());
    assert.ok(body instanceof Uint8Array);
    assert.match(Buffer.from(body).toString(), /\r\n\r\none two end\.\r\n/);
  });
});
