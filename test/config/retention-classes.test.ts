import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { folder, problems, read } from './read-in-folder.ts';

describe('retention classes', () => {
  test('reads retention classes from TOML over the built-in ones', () => {
    const from = folder({
      'retention.toml': '[retention_classes.raw-evidence]\ndefault_duration_seconds = 60\n[retention_classes.forever]\n',
    });
    const { classes } = read({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' }, from).retention;
    const durations = new Map(classes.map((entry) => [entry.slug, entry.default_duration_seconds]));
    assert.equal(durations.get('raw-evidence'), 60);
    assert.equal(durations.get('forever'), null);
    assert.equal(durations.get('transient'), 86_400);
  });

  test('names the file and the line of a bad retention file', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['[retention_classes.a]\ndefault_duration_seconds = \n', /retention\.toml, line 2/],
      ['# a\n[retention_classes.a]\ndefault_duration_seconds = -5\n', /retention\.toml, line 3: .*whole number of seconds/],
      [
        '# b is short\n[retention_classes.a]\ndefault_duration_seconds = 5\n\n[retention_classes.b]\ndefault_duration_seconds = 0\n',
        /line 6: retention_classes\.b: /,
      ],
      ['[retention_classes.a]\n[retention_classes]\n"b".default_duration_seconds = "x"\n', /line 3: retention_classes\.b: /],
      ['[retention_classes]\na = { default_duration_seconds = 1 }\nb = { seconds = 1 }\n', /line 3: .*not "seconds"/],
      ['# retention_classes\nretention_classes = 1\n', /line 2: retention_classes must be a table/],
      ['[retention_classes.a]\ndefault_duration_seconds = 1\n[retention_classes.default]\nduration = 1\n', /line 4: .*not "duration"/],
      ['[retention_classes.a]\ndefault_duration_second = 5\n', /line 2: .*not "default_duration_second"/],
      ['[retention_classes."A b"]\n', /line 1: "A b" is not a slug/],
      ['[retention]\n', /line 1: "retention" is not known/],
    ];
    for (const [text, expected] of cases)
      assert.match(
        problems({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' }, folder({ 'retention.toml': text })).message,
        expected,
      );
    assert.match(problems({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: './absent.toml' }).message, /absent\.toml can't be read/);
    const other = (text: string) => problems({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'other' }, folder({ other: text })).message;
    assert.match(other('a\0'), /other is no file of retention classes: it is no text in UTF-8/);
    assert.match(other('#'.repeat(1_048_577)), /it has more than 1048576 bytes/);
  });
});
