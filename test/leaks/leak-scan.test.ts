import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leaksIn } from './leak-scan.ts';

const secret = 'hush/+ välue "1"&x=Y~';
const bytes = Buffer.from(secret);

describe('the scan for leaks', () => {
  test('finds a value planted in each form, wherever it begins in what was encoded', () => {
    const planted: readonly (readonly [form: string, text: string | Buffer])[] = [
      ['plain', `key=${secret};`],
      ['json', JSON.stringify({ key: `a${secret}b` })],
      ['percent', `https://x/?key=${encodeURIComponent(secret)}&b`],
      ['percent', `https://x/?key=${encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase())}&b`],
      ['percent', [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')],
      ['hex', bytes.toString('hex')],
      ['hex', `0x${bytes.toString('hex').toUpperCase()}`],
      ['utf-16', Buffer.from(`core ${secret} dump`, 'utf16le')],
      ...['', 'a', 'ab', 'abc', 'Basic user:'].flatMap((before) =>
        ['', 'z', ':tail'].flatMap((behind) =>
          (['base64', 'base64url'] as const).map(
            (alphabet) => ['base64', Buffer.from(`${before}${secret}${behind}`).toString(alphabet)] as const,
          ),
        ),
      ),
    ];
    for (const [form, text] of planted) {
      const found = leaksIn(new Map([['here', Buffer.from(text)]]), ['another value', secret]);
      assert.ok(
        found.some((leak) => leak.where === 'here' && leak.value === 1 && leak.form === form),
        `${form}: ${text}: ${JSON.stringify(found)}`,
      );
      assert.ok(found.every(({ value }) => value === 1));
    }
  });

  test('finds nothing in what has nothing, nor in a value that was cut', () => {
    const cut = secret.slice(0, -1);
    for (const text of ['', 'hush', cut, encodeURIComponent(cut), Buffer.from(cut).toString('base64'), bytes.toString('hex').slice(2)])
      assert.deepEqual(leaksIn(new Map([['here', Buffer.from(text)]]), [secret]), [], text);
  });
});
