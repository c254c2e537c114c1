import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveJob } from '../../../src/bundle/nomad/resolve-job.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const sha256 = 'a'.repeat(64);
const artifacts = {
  'app.tar.gz': { url: `http://127.0.0.1:7380/objects/sha256:${sha256}/app.tar.gz`, sha256, size_bytes: 1 },
};
const url = artifacts['app.tar.gz'].url;
const checksum = `checksum = "sha256:${sha256}"`;

describe('a job of Nomad', () => {
  test('has the address and the checksum in place of the name, and nothing else is changed', () => {
    const job = `# artifactstore://in-a-comment is nobody's
job "web" {
  group "g" {
    task "t" {
      artifact {
        source      = "artifactstore://app.tar.gz" # the app
        destination = "local/\${NOMAD_ALLOC_ID}"
      }
      artifact {
        source = "https://example.org/other.zip"
        options { checksum = "md5:x" }
      }
      env { A = "}" }
      template {
        data = <<EOT
{{ with secret "x" }} artifact { source = "file:///x" } {{ end }}
EOT
      }
    }
  }
}
`;
    const expected = job.replace(
      '"artifactstore://app.tar.gz"',
      `"${url}"
        options {
          ${checksum}
        }`,
    );
    assert.equal(resolveJob(job, artifacts), expected);
    assert.equal(resolveJob(expected, artifacts), expected);
  });

  for (const [what, block, expected] of [
    [
      'options with a line',
      'artifact {\n  source = "artifactstore://app.tar.gz"\n  options {\n    archive = false\n  }\n}',
      `options {\n    ${checksum}\n    archive = false\n  }`,
    ],
    [
      'options as an object',
      'artifact {\n  source = "artifactstore://app.tar.gz"\n  options = {\n    "archive" = "false"\n  }\n}',
      `options = {\n    ${checksum}\n    "archive" = "false"\n  }`,
    ],
    [
      'options on one line',
      'artifact {\n  options { archive = false }\n  source = "artifactstore://app.tar.gz"\n}',
      `options {\n    ${checksum}\n    archive = false \n  }`,
    ],
    [
      'all on one line',
      'artifact { source = "artifactstore://app.tar.gz" }',
      `artifact {\n  source = "${url}"\n  options {\n    ${checksum}\n  } \n}`,
    ],
    [
      'its checksum already',
      `artifact {\n  source = "artifactstore://app.tar.gz"\n  options {\n    ${checksum}\n  }\n}`,
      `options {\n    ${checksum}\n  }`,
    ],
  ] as const)
    test(`with ${what} has the checksum among the options once`, () => {
      const resolved = resolveJob(block, artifacts);
      assert.ok(resolved.includes(expected), resolved);
      assert.equal(resolved.split('checksum').length, 2);
      assert.ok(resolved.includes(`source = "${url}"`));
    });

  const wrong: readonly (readonly [what: string, job: string, line: number])[] = [
    ['a name that no bundle has', 'artifact {\n source = "artifactstore://another"\n}', 2],
    ['a name of an object itself', 'artifact {\n source = "artifactstore://constructor"\n}', 2],
    ['a query behind the name', 'artifact { source = "artifactstore://app.tar.gz?archive=false" }', 1],
    ['another checksum', 'artifact {\n source = "artifactstore://app.tar.gz"\n options {\n checksum = "sha256:00"\n }\n}', 4],
    ['an absolute file', 'x {\n artifact {\n source = "/etc/passwd"\n}\n}', 3],
    ['a file by its scheme', 'artifact { source = "file:///etc/passwd" }', 1],
    ['a forced file', 'artifact { source = "file::/etc/passwd" }', 1],
    ['a relative file', 'artifact { source = "./app.tar.gz" }', 1],
    ['the scheme in the environment', 'env {\n APP = "artifactstore://app.tar.gz"\n}', 2],
    ['the scheme in a template', 'template {\n data = <<EOT\n x artifactstore://app.tar.gz\nEOT\n}', 3],
    ['the scheme as JSON', '{"Artifacts": [{"GetterSource": "artifactstore://app.tar.gz"}]}', 1],
    ['a string without an end', 'a = "x\n', 1],
    ['a comment without an end', '\n/* x', 2],
    ['a heredoc without an end', 'a = <<EOT\nx\n', 1],
    ['a template without an end', `a = "\${x"`, 1],
  ];
  for (const [what, job, line] of wrong)
    test(`with ${what} is refused at its line`, () => {
      assert.throws(
        () => resolveJob(job, artifacts),
        (error) => isArtifactstoreError(error, 'invalid_value') && error.info?.line === line,
      );
    });
});
