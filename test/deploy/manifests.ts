import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Stage, stagesOf } from './dockerfile.ts';

export type Environment = Readonly<Record<string, string>>;

export const root: string = join(import.meta.dirname, '../..');

export function textOf(path: string): string {
  return readFileSync(join(root, 'deploy', path), 'utf8');
}

/** The last stage of our image. */
export function imageStage(): Stage {
  return stagesOf(textOf('image/Dockerfile')).at(-1)!;
}

/** An object of Kubernetes, as far as tests look into it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Environment;
  readonly spec?: { readonly template?: { readonly spec: PodSpec }; readonly replicas?: number };
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly runAsUser?: number };
  readonly containers: readonly Container[];
}

export interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean; readonly allowPrivilegeEscalation?: boolean };
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

export function kubernetes(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((each) => each !== null);
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[] };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file?: string }>>;
}

export interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly environment?: Environment;
}

export function compose(): Compose {
  return parse(textOf('compose/compose.yaml'), { merge: true }) as Compose;
}

/** The literal variables of one task of a Nomad job; `var.name` is its default. */
export function nomadEnvironment(text: string): Environment {
  const variables = new Map([...text.matchAll(/^variable "(\w+)" \{[^}]*?default = "([^"]*)"/gm)].map(([, name, value]) => [name, value]));
  const [, block = ''] = /^ {6}env \{\n(.*?)^ {6}\}/ms.exec(text) ?? [];
  const lines = [...block.matchAll(/^\s*(\w+)\s*= (?:"([^"]*)"|var\.(\w+))$/gm)];
  return Object.fromEntries(lines.map(([, name = '', literal, variable]) => [name, literal ?? variables.get(variable) ?? '']));
}

/** What secrets and templates of each way add, as docs/containers.md has them made. */
export const secretSettings: Environment = {
  ARTIFACTSTORE_DATABASE_URL: 'postgresql://artifactstore:not-a-password@db.example.org:5432/artifactstore?sslmode=verify-full',
  ARTIFACTSTORE_AUTH_TOKENS: 'ci=0123456789abcdef0123456789abcdef',
};
