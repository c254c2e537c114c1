// without-secrets.mjs FILE COMMAND [ARGUMENT...]: runs a command and prints what it says, without the lines that have a
// secret of the file (as it is, percent-encoded, in base64, as hex digits) or a text of the form of one. The seed of Cosmo
// prints its API key, and its migration of ClickHouse the address with the password. Ends as the command does.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { stripVTControlCharacters } from 'node:util';

const secretName = /SECRET|PASSWORD|TOKEN|KEY|DSN|CREDENTIAL/;
const shapes = [
  ['a password in an address', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"'<>]*:[^\s/?#@"'<>]+@/i],
  ['an API key of Cosmo', /\bcosmo_[A-Za-z0-9]{16,}/],
  ['a JSON Web Token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\./],
  ['the value of a secret setting', /\b[A-Z0-9_]*(SECRET|PASSWORD|API_KEY|TOKEN)[A-Z0-9_]*["']?\s*[=:]\s*["']?[^\s"',;]{8,}/],
];
// A line without an end is not kept for longer, and nothing of it is printed.
const longestLine = 1_048_576;

const [file, command, ...args] = process.argv.slice(2);
if (file === undefined || command === undefined) {
  console.error('without-secrets: give a file and a command');
  process.exit(64);
}
let known;
try {
  known = knownIn(readFileSync(file, 'utf8'));
} catch (error) {
  console.error(`without-secrets: ${file} can't be read (${error.code}), so nothing could be kept out of what the command prints`);
  process.exit(78);
}

const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'pipe'] });
let left = 0;
for (const [from, to] of [
  [child.stdout, process.stdout],
  [child.stderr, process.stderr],
])
  pass(from, to);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`without-secrets: "${command}" can't be started (${error.code})`);
  process.exitCode = 127;
});
child.on('close', (code, signal) => {
  if (left > 0) console.error(`without-secrets: ${left} of its lines were left out`);
  process.exitCode ??= signal === null ? (code ?? 1) : 128 + constants.signals[signal];
});

function pass(from, to) {
  let rest = '';
  let tooLong = false;
  from.setEncoding('utf8');
  from.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      to.write(`${tooLong ? leave('too much to look through') : checked(line)}\n`);
      tooLong = false;
    }
    if (rest.length > longestLine) [rest, tooLong] = ['', true];
  });
  from.on('end', () => {
    if (tooLong || rest !== '') to.write(tooLong ? leave('too much to look through') : checked(rest));
  });
}

function checked(line) {
  // Colours may be in the middle of a value.
  const plain = stripVTControlCharacters(line);
  const name = known.find(([, form]) => plain.includes(form))?.[0] ?? shapes.find(([, shape]) => shape.test(plain))?.[0];
  return name === undefined ? line : leave(name);
}

function leave(name) {
  left += 1;
  return `[left out: a line with ${name}]`;
}

/** Names with what their values look like on the way out. */
function knownIn(text) {
  return text.split('\n').flatMap((line) => {
    const [, name, value = ''] = /^([A-Z][A-Z0-9_]*)=(.*?)\r?$/.exec(line) ?? [];
    if (name === undefined) return [];
    const secrets = secretName.test(name) ? [value] : [];
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#:]*:(.*)@/i.exec(value)?.[1];
    if (password !== undefined) secrets.push(password);
    return secrets.filter((secret) => secret.length >= 8).flatMap((secret) => formsOf(secret).map((form) => [name, form]));
  });
}

function formsOf(secret) {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const forms = [secret, encodeURIComponent(secret), hex, hex.toUpperCase(), JSON.stringify(secret).slice(1, -1)];
  // Within base64 the bytes before it decide where its digits begin; those at the ends depend on the neighbours.
  for (let before = 0; before < 3; before++) {
    const digits = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const inner = digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    forms.push(inner, inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return [...new Set(forms)];
}
