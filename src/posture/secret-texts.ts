import type { ComposeMap, ComposeNode } from '../protocol/compose-file.ts';
import { itemsOf, textsIn } from '../protocol/compose-merge.ts';
import { isLeftOut, secretShapes } from '../secrets/scan/shapes.ts';
import { type Fault, violated } from './finding.ts';
import type { Stack } from './stack.ts';

const secretName = /SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY(?!_MANAGEMENT)|PRIVATE_?KEY|CREDENTIAL|_KEY$|_DSN$|JWT/i;
/** They say where a secret is, or what is to be done with it. */
const nameOfPlace = /_(FILE|PATH|NAME|NAMES|REF|URI|ISSUER|ALGORITHM|TTL|SECONDS|ENABLED|REQUIRED)$/i;
const byWrapper = 'render it into an env file, and start the program by the wrapper that reads it';

/** What is in `environment` can be read with `docker inspect`, by whoever may speak to the engine. */
export function* environmentFaults(service: ComposeMap): Generator<Fault> {
  yield* namedSecrets(service.entries.get('environment'), 'environment');
  const build = service.entries.get('build');
  if (build?.kind === 'map') yield* namedSecrets(build.entries.get('args'), 'build arguments');
  for (const item of itemsOf(service.entries.get('env_file')))
    yield violated(item, 'has an `env_file`: Compose reads it on the host, and `docker inspect` shows its values', byWrapper);
  yield* shapes(service);
}

/** The same of what belongs to no service. */
export function* sharedTextFaults({ root }: Stack): Generator<Fault> {
  for (const name of ['secrets', 'configs'])
    for (const item of itemsOf(root.entries.get(name))) {
      yield* shapes(item);
      const variable = item.kind === 'map' ? item.entries.get('environment') : undefined;
      if (variable !== undefined)
        yield violated(variable, `of \`${name}\` comes from the environment of whoever runs Compose`, 'use `file`');
    }
}

function* namedSecrets(node: ComposeNode | undefined, where: string): Generator<Fault> {
  if (node?.kind !== 'map') return;
  for (const [name, value] of node.entries) {
    if (!secretName.test(name) || nameOfPlace.test(name)) continue;
    if (value.kind === 'scalar' && (value.text === '' || /^(true|false|0|1)$/.test(value.text ?? ''))) continue;
    yield violated(value, `has ${name} in its ${where}, where \`docker inspect\` shows it`, byWrapper);
  }
}

function* shapes(node: ComposeNode): Generator<Fault> {
  for (const text of textsIn(node))
    for (const { name, pattern } of secretShapes)
      for (const match of text.text.matchAll(pattern))
        if (!isLeftOut(match[1] ?? '')) yield violated(text, `has a text of the form of a secret (${name})`, byWrapper);
}

const showing: readonly (readonly [pattern: RegExp, problem: string])[] = [
  [/(^|[\s;&|("'])(\.|source)\s+["']?\/secrets\//, 'runs a file of secrets as a program'],
  [
    /(^|[\s;&|("'])(cat|tac|less|more|head|tail|nl|od|xxd|hexdump|strings|base64|grep|sed|awk)\s[^;&|]*\/secrets\//,
    'prints a file of secrets',
  ],
  [/(^|[\s;&|("'])(printenv|env|export -p|declare -x|declare -p)\s*($|[;&|>)\n])/, 'prints its environment'],
  [/\bset\s+-[a-wyz]*x|-o\s+xtrace|(^|[\s/])(ba|da|a|z)?sh\s+-[a-wyz]*x/, 'traces its commands, with their values'],
];

/** What a container writes while it starts is kept by the engine, and given away as evidence. */
export function* shownFaults(service: ComposeMap): Generator<Fault> {
  const check = service.entries.get('healthcheck');
  const hooks = ['post_start', 'pre_stop'].flatMap((name) => itemsOf(service.entries.get(name)));
  const commands = [
    service.entries.get('command'),
    service.entries.get('entrypoint'),
    check?.kind === 'map' ? check.entries.get('test') : undefined,
    ...hooks.map((hook) => (hook.kind === 'map' ? hook.entries.get('command') : undefined)),
  ];
  for (const command of commands) {
    if (command === undefined) continue;
    const text = [...textsIn(command)].map((each) => each.text).join(' ');
    for (const [pattern, problem] of showing)
      if (pattern.test(text)) yield violated(command, problem, 'start the program by the wrapper, which prints nothing');
  }
}
