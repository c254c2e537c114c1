import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * docs/install.md, and the files of deploy/ that it puts into place, made to run in a folder of their own, as any user.
 */
export const page: string = readFileSync(join(root, 'docs/install.md'), 'utf8');

export function deployed(path: string): string {
  return readFileSync(join(root, 'deploy', path), 'utf8');
}

/** The shell commands of one section, by the beginning of its heading. */
export function commandsOf(heading: string): readonly string[] {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading));
  if (section === undefined) throw new Error(`docs/install.md has no section "${heading}"`);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]!);
}

/** The page writes where things belong on a machine; a test has them below `folder`, and no other user. */
export function below(folder: string, text: string): string {
  return text
    .replaceAll(/(?<![\w.])\/(var\/lib\/artifactstore|opt\/artifactstore|usr\/local\/bin|etc)(?=[/\s"';]|$)/gm, `${folder}/$1`)
    .replaceAll(/ -o artifactstore -g artifactstore/g, '')
    .replaceAll(/runuser -u artifactstore -- /g, '');
}

/** The nginx that `ARTIFACTSTORE_TEST_NGINX` names, or the machine's; undefined where there is none. */
export function findNginx(): string | undefined {
  return firstThatRuns([process.env.ARTIFACTSTORE_TEST_NGINX ?? 'nginx', '/usr/sbin/nginx'], '-v');
}

export function findSystemdAnalyze(): string | undefined {
  return firstThatRuns(['systemd-analyze'], '--version');
}

function firstThatRuns(commands: readonly string[], flag: string): string | undefined {
  return commands.find((command) => {
    try {
      execFileSync(command, [flag], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

export interface NginxPlace {
  readonly folder: string;
  readonly name: string;
  /** Ports of https and of http, and that of the server behind. */
  readonly tlsPort: number;
  readonly port: number;
  readonly upstreamPort: number;
}

/** Our server's file inside the smallest whole configuration that runs without root, with ports that are free. */
export function nginxConfiguration({ folder, name, port, tlsPort, upstreamPort }: NginxPlace): string {
  const site = below(folder, deployed('nginx/artifactstore.conf'))
    .replaceAll('artifacts.example.org', name)
    .replaceAll(/^\s*listen \[::\].*\n/gm, '')
    .replace('listen 443', `listen 127.0.0.1:${tlsPort}`)
    .replace('listen 80', `listen 127.0.0.1:${port}`)
    .replace('127.0.0.1:8000', `127.0.0.1:${upstreamPort}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n');
  return `daemon off;\npid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${site}\n}\n`;
}
