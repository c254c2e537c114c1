import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readDotEnv } from '../../src/config/dot-env.ts';
import { folder, problems, read } from './read-in-folder.ts';

const withBytes = (bytes: Uint8Array): string => {
  const from = folder({});
  writeFileSync(join(from, '.env'), bytes);
  return from;
};

describe('a line of .env with a setting that would not be read', () => {
  const cases: readonly (readonly [text: string, told: RegExp])[] = [
    ['\ufeffARTIFACTSTORE_PORT=9001\n', /ARTIFACTSTORE_PORT: line 1 of \.env begins with a byte order mark: save the file without it$/],
    ['A=1\nARTIFACTSTORE_PORT: 99999\n', /ARTIFACTSTORE_PORT: line 2 of \.env is not NAME=value/],
    ['set ARTIFACTSTORE_PORT=9001\n', /line 1 of \.env is not NAME=value/],
    ['$env:ARTIFACTSTORE_PORT = "9001"\n', /line 1 of \.env is not NAME=value/],
    ['put artifactstore_port here\n', /artifactstore_port: line 1 of \.env is not NAME=value/],
    ['export ARTIFACTSTORE_PORT\n', /line 1 of \.env is not NAME=value/],
    ['A="x\nARTIFACTSTORE_PORT=9001\nB="y"\n', /line 2 of \.env is in the quotes of another variable/],
    ['ARTIFACTSTORE_HOST=a ARTIFACTSTORE_PORT=9001\n', /ARTIFACTSTORE_HOST: line 1 of \.env has more than one setting/],
    ['ARTIFACTSTORE_HOST=a\rARTIFACTSTORE_PORT=9001\n', /line 1 of \.env has more than one setting/],
    ['ARTIFACTSTORE_PORT=9001\nexport ARTIFACTSTORE_PORT=9002\n', /line 2 of \.env sets it to another value than a line before/],
  ];
  for (const [text, told] of cases)
    test(`is refused: ${JSON.stringify(text)}`, () => {
      const { message, field } = problems({}, folder({ '.env': text }));
      assert.match(message, told);
      assert.match(field ?? '', /^ARTIFACTSTORE_(?:PORT|HOST)$/i);
    });

  test('is refused where it is no text in UTF-8, whatever else the file has', () => {
    assert.match(
      problems({}, withBytes(Buffer.from('A=\xe9\nARTIFACTSTORE_HOST=\xe9\n', 'latin1'))).message,
      /line 2 of \.env is no text in UTF-8$/,
    );
    const utf16 = Buffer.from('\ufeffARTIFACTSTORE_PORT=9001\n', 'utf16le');
    assert.match(problems({}, withBytes(utf16)).message, /ARTIFACTSTORE_PORT: \.env cannot be read: it is text in UTF-16/);
    assert.match(problems({}, withBytes(utf16.subarray(2))).message, /\.env cannot be read: it is no text in UTF-8/);
  });
});

test('a .env may have what other programs read, and the syntax of a shell', () => {
  const text = [
    '# ARTIFACTSTORE_PORT: 1',
    '',
    'MESSAGE="of several',
    'lines"',
    'not a line of the kind',
    'COMMAND=artifactstore serve # with ARTIFACTSTORE_PORT: 1',
    'MY_ARTIFACTSTORE_URL: is another',
    'OTHER="env ARTIFACTSTORE_PORT=1 serve"',
    'OTHER=2',
    ' export ARTIFACTSTORE_PORT = "9001" # ours',
    'export ARTIFACTSTORE_PORT',
    "ARTIFACTSTORE_HOST='::1'",
    'ARTIFACTSTORE_HOST=::1\r',
    'ARTIFACTSTORE_CORS_ORIGINS="http://a,',
    'http://b"',
  ];
  const config = read({}, folder({ '.env': text.join('\n') }));
  assert.deepEqual([config.port, config.host, config.corsOrigins], [9001, '::1', ['http://a', 'http://b']]);
  assert.equal(read({}, withBytes(Buffer.from('# caf\xe9\nA=\xe9\nARTIFACTSTORE_PORT=9001\n', 'latin1'))).port, 9001);
  assert.equal(read({}, folder({ '.env': '\ufeff# first\nARTIFACTSTORE_PORT=9001\n' })).port, 9001);
});

test('a .env of which nothing counts is known for it, and taken', () => {
  const unread = (from: string): string | undefined => readDotEnv(from).unread;
  assert.equal(unread(folder({ '.env': 'plain sentences.\nTwo of them.\n' })), 'no line of it is NAME=value');
  assert.equal(unread(withBytes(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0x0a]))), 'it is no text in UTF-8');
  for (const text of ['', '# all comments\n\n', 'OTHER=1\n']) assert.equal(unread(folder({ '.env': text })), undefined);
  for (const from of [folder({}), withBytes(Buffer.from('# caf\xe9\n', 'latin1'))]) assert.equal(unread(from), undefined);
});
