import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Finished, finished } from '../cli/workplace.ts';

const root = join(import.meta.dirname, '..', '..');
const ci = join(root, 'deploy', 'ci');

type Texts = Readonly<Record<string, string>>;

/** What of an action's description is read here (GitHub Docs, "Metadata syntax reference"). */
export interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Step {
  readonly id?: string;
  readonly name: string;
  readonly uses?: string;
  readonly shell: string;
  readonly env: Texts;
  readonly run: string;
}

/** What of a component is read (GitLab Docs, "CI/CD components", "CI/CD YAML syntax reference"). */
export interface Component {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly id_tokens: Readonly<Record<string, { readonly aud: string }>>;
  readonly variables: Texts;
  readonly script: readonly string[];
}

export const action: Action = parse(readFileSync(join(ci, 'github', 'action.yml'), 'utf8'));

/** A component with its inputs put in. */
export function component(inputs: Texts): Component {
  const [spec, text = ''] = readFileSync(join(ci, 'gitlab', 'templates', 'push.yml'), 'utf8').split(/^---$/m);
  const described: { readonly spec: Pick<Component, 'inputs'> } = parse(spec ?? '');
  const known = described.spec.inputs;
  // As text, before it is read as YAML: the harder of the two ways, for what a text can do to the lines around it.
  const filled = text.replaceAll(/\$\[\[ inputs\.(\w+) \]\]/g, (_, name: string) => {
    const value = inputs[name] ?? known[name]?.default;
    if (value === undefined) throw new Error(`the input ${name} is missing`);
    return value;
  });
  const [document] = parseAllDocuments(filled);
  return { inputs: known, jobs: document!.toJS() };
}

/** A machine of a platform: a checked-out project, a temporary folder, and the command line on its PATH or not. */
export interface Runner extends Disposable {
  readonly project: string;
  write(files: Texts): void;
  read(path: string): string;
  /** A script in bash, in the project. */
  shell(script: string): Promise<Finished>;
  /** The steps of the action in bash, as GitHub's runner runs them, until one fails. */
  runAction(inputs: Texts, environment: Texts): Promise<Finished & { readonly outputs: Texts; readonly summary: string }>;
  /** The script of the one job of the component, in this shell, as GitLab's runner does. */
  runComponent(inputs: Texts, environment: Texts, sign: (audience: string) => Promise<string>, shell?: string): Promise<Finished>;
}

/** `programs` are scripts for `sh` that come first on the PATH, by their names. */
export function openRunner(options: { readonly onPath?: boolean; readonly programs?: Texts } = {}): Runner {
  const home = mkdtempSync(join(tmpdir(), 'artifactstore-ci-'));
  const project = join(home, 'project');
  const bin = join(home, 'bin');
  for (const folder of [project, bin, join(home, 'temp')]) mkdirSync(folder);
  if (options.onPath !== false) symlinkSync(join(root, 'bin', 'artifactstore.js'), join(bin, 'artifactstore'));
  for (const [name, text] of Object.entries(options.programs ?? {}))
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const base = {
    HOME: home,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'artifactstore-test-compile-cache'),
    TMPDIR: join(home, 'temp'),
  };
  const path = `${bin}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const start = (command: string, args: readonly string[], env: Texts): ChildProcess =>
    spawn(command, args, { cwd: project, env: { ...base, PATH: path, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });

  return {
    project,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(project, name)), { recursive: true });
        writeFileSync(join(project, name), text);
      }
    },
    shell: async (script) => await finished(start('bash', ['-ec', script], {})),
    read: (name) => readFileSync(join(project, name), 'utf8'),
    async runAction(inputs, environment) {
      const file = (name: string): string => join(home, 'temp', name);
      const added = { GITHUB_OUTPUT: file('output'), GITHUB_STEP_SUMMARY: file('summary'), GITHUB_PATH: file('path') };
      for (const each of Object.values(added)) writeFileSync(each, '');
      const given = (name: string): string => {
        const value = inputs[name] ?? action.inputs[name]?.default;
        if (value === undefined) throw new Error(`the input ${name} is missing`);
        return value;
      };
      const all = { code: 0 as number | null, stdout: '', stderr: '' };
      for (const { shell, env, run } of action.runs.steps) {
        if (shell !== 'bash') throw new Error(`the shell ${shell} is not run here`);
        writeFileSync(file('script.sh'), run);
        const values = Object.entries(env).map(([name, text]) => [
          name,
          text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input: string) => given(input)),
        ]);
        const PATH = [...readFileSync(added.GITHUB_PATH, 'utf8').split('\n').filter(Boolean).reverse(), path].join(':');
        const done = await finished(
          start('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file('script.sh')], {
            ...environment,
            ...added,
            RUNNER_TEMP: join(home, 'temp'),
            ...Object.fromEntries(values),
            PATH,
          }),
        );
        all.code = done.code;
        all.stdout += done.stdout;
        all.stderr += done.stderr;
        if (done.code !== 0) break;
      }
      const lines = readFileSync(added.GITHUB_OUTPUT, 'utf8').split('\n').filter(Boolean);
      const outputs = Object.fromEntries(lines.map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=/, '')]));
      return { ...all, outputs, summary: readFileSync(added.GITHUB_STEP_SUMMARY, 'utf8') };
    },
    async runComponent(inputs, environment, sign, shell = 'bash') {
      const [job] = Object.values(component(inputs).jobs);
      const expand = (text: string): string =>
        text.replaceAll(/\$(\w+)/g, (_, name: string) => environment[name] ?? job!.variables[name] ?? '');
      const variables = Object.fromEntries(Object.entries(job!.variables).map(([name, text]) => [name, expand(text)]));
      const tokens = await Promise.all(
        Object.entries(job!.id_tokens).map(async ([name, { aud }]) => [name, await sign(expand(aud))] as const),
      );
      const strict = shell === 'bash' ? 'set -eo pipefail\n' : 'set -e\n';
      return await finished(
        start(shell, ['-c', strict + job!.script.join('\n')], { ...environment, ...variables, ...Object.fromEntries(tokens) }),
      );
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}
