// bootstrap.mjs: brings into Vault or OpenBao what the stack needs, and gives the agent a way in. Run it as often as you
// like: what is there is preserved, only what is missing is written, by compare-and-set. No value is an argument, or printed.
//   VAULT_ADDR        where it is
//   VAULT_TOKEN_FILE  a token that may write there
//   AGENT_DIR         where the agent's role-id and secret-id go (/agent)
//   VALUES_FILE       NAME=value lines for keys that are missing in Vault, where you have values for them
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { base, contract, isPlaceholder, mount, policy } from './contract.mjs';

const { VAULT_ADDR: address, VAULT_TOKEN_FILE: tokenFile, AGENT_DIR: agentDirectory = '/agent', VALUES_FILE: valuesFile } = process.env;

class Refused extends Error {}

try {
  await main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`bootstrap: ${error.message}`);
  process.exit(1);
}

async function main() {
  if (!address || !tokenFile) throw new Refused('set VAULT_ADDR and VAULT_TOKEN_FILE');
  const given = readValues();
  const token = readText(tokenFile, 'VAULT_TOKEN_FILE').trim();
  const ask = await openVault(token);
  await ensureMount(ask);
  // Everything is looked at before anything is written.
  const plans = [];
  for (const name of Object.keys(contract)) plans.push(await planOf(ask, name, given));
  const problems = plans.flatMap(({ problems: found }) => found);
  if (problems.length > 0) throw new Refused(`nothing was written:\n${problems.map((each) => `  ${each}`).join('\n')}`);
  for (const plan of plans) await carryOut(ask, plan, given);
  await letAgentIn(ask);
}

async function openVault(token) {
  async function ask(method, path, body, headers = {}) {
    let response;
    try {
      response = await fetch(`${address}/v1/${path}`, {
        method,
        headers: { 'x-vault-request': 'true', 'x-vault-token': token, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(15_000),
      });
    } catch (error) {
      throw new Refused(`${address} does not answer (${error.cause?.code ?? error.name}): is Vault started?`);
    }
    const text = await response.text();
    let answer = {};
    try {
      answer = text === '' ? {} : JSON.parse(text);
    } catch {
      throw new Refused(`${address} answered ${response.status} with a page that is not of Vault: is the address right?`);
    }
    if (response.status === 403) throw new Refused(`the token may not ${method} ${path}: give one that may`);
    if (response.status === 503) throw new Refused('Vault is sealed: unseal it with `bao operator unseal`, and run this again');
    return { status: response.status, answer };
  }
  const { answer } = await ask('GET', 'sys/seal-status');
  if (answer.initialized === false)
    throw new Refused('Vault is new: run `bao operator init`, keep what it prints, unseal it, and run this again');
  if (answer.sealed !== false) throw new Refused('Vault is sealed: unseal it with `bao operator unseal`, and run this again');
  return ask;
}

async function ensureMount(ask) {
  const { answer } = await ask('GET', 'sys/mounts');
  const found = (answer.data ?? answer)[`${mount}/`];
  if (found !== undefined) {
    if (found.type !== 'kv' || found.options?.version !== '2')
      throw new Refused(`the mount ${mount}/ is not a key-value engine of version 2`);
    return;
  }
  const { status } = await ask('POST', `sys/mounts/${mount}`, { type: 'kv', options: { version: '2' } });
  if (status >= 300) throw new Refused(`the mount ${mount}/ could not be made (${status})`);
  // The engine prepares itself for a moment.
  for (let attempt = 0; (await ask('GET', `${mount}/config`)).status !== 200; attempt++) {
    if (attempt > 100) throw new Refused(`the mount ${mount}/ does not become ready`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.log(`${mount}/ made`);
}

/** Which keys of a path are missing, with their new values; and what is wrong with those that are there. */
async function planOf(ask, name, given) {
  const path = `${base}/${name}`;
  const { status, answer } = await ask('GET', `${mount}/data/${path}`);
  if (status !== 200 && status !== 404) throw new Refused(`${mount}/${path} could not be read (${status})`);
  // A version that was deleted answers 404 too, and has its number.
  const version = answer.data?.metadata?.version ?? 0;
  const present = status === 200 ? answer.data.data : undefined;
  const problems = [];
  const missing = {};
  for (const [key, { form, make, from }] of Object.entries(contract[name])) {
    const value = present?.[key];
    const place = `${mount}/${path} ${key}`;
    if (typeof value === 'string' && !isPlaceholder(value)) {
      if (!form.test(value)) problems.push(`${place} does not have the form ${form.source}: correct it in Vault; it is not replaced here`);
      continue;
    }
    const made = given.get(key) ?? make();
    if (made === undefined) problems.push(`${place} is missing: put ${key}=… into VALUES_FILE, with ${from}`);
    else if (isPlaceholder(made)) problems.push(`${place}: the value in VALUES_FILE is a placeholder`);
    else if (!form.test(made)) problems.push(`${place}: the value in VALUES_FILE does not have the form ${form.source}`);
    else missing[key] = { value: made, from: given.has(key) ? 'given' : from };
  }
  return { name, path, version, present, missing, problems };
}

async function carryOut(ask, first, given) {
  let plan = first;
  for (let attempt = 0; ; attempt++) {
    const names = Object.keys(plan.missing);
    if (names.length === 0) break;
    const data = Object.fromEntries(names.map((key) => [key, plan.missing[key].value]));
    const body = { options: { cas: plan.version }, data };
    const path = `${mount}/data/${plan.path}`;
    // A patch leaves what others have put there beside it.
    const { status } =
      plan.present === undefined
        ? await ask('POST', path, body)
        : await ask('PATCH', path, body, { 'content-type': 'application/merge-patch+json' });
    if (status < 300) break;
    if (status !== 400 || attempt >= 5) throw new Refused(`${mount}/${plan.path} could not be written (${status})`);
    // Somebody else wrote meanwhile: what is there now counts.
    plan = await planOf(ask, plan.name, given);
    if (plan.problems.length > 0) throw new Refused(plan.problems.join('\n'));
  }
  for (const key of Object.keys(contract[plan.name]))
    console.log(`${mount}/${plan.path} ${key} ${plan.missing[key]?.from ?? 'preserved'} (value not printed)`);
}

async function letAgentIn(ask) {
  const { answer } = await ask('GET', 'sys/auth');
  if ((answer.data ?? answer)['approle/'] === undefined) await must(ask('POST', 'sys/auth/approle', { type: 'approle' }), 'AppRole');
  await must(ask('PUT', 'sys/policies/acl/cosmo-render', { policy }), 'the policy cosmo-render');
  const role = { token_policies: ['cosmo-render'], token_ttl: '1h', token_max_ttl: '24h', token_no_default_policy: false };
  await must(ask('POST', 'auth/approle/role/cosmo-render', role), 'the role cosmo-render');
  const { role_id: roleId } = await must(ask('GET', 'auth/approle/role/cosmo-render/role-id'), 'the role id');
  mkdirSync(agentDirectory, { recursive: true, mode: 0o700 });
  const [roleFile, secretFile] = [join(agentDirectory, 'role-id'), join(agentDirectory, 'secret-id')];
  if (!existsSync(roleFile) || readFileSync(roleFile, 'utf8') !== roleId) keep(roleFile, roleId);
  const before = existsSync(secretFile) ? readFileSync(secretFile, 'utf8') : '';
  const { status } = before === '' ? { status: 400 } : await ask('POST', 'auth/approle/login', { role_id: roleId, secret_id: before });
  if (status === 200) return console.log(`${agentDirectory}/secret-id preserved (value not printed)`);
  const { secret_id: secretId } = await must(ask('POST', 'auth/approle/role/cosmo-render/secret-id', {}), 'the secret id');
  keep(secretFile, secretId);
  console.log(`${agentDirectory}/secret-id made (value not printed)`);
}

async function must(asked, what) {
  const { status, answer } = await asked;
  if (status >= 300) throw new Refused(`${what} could not be made or read (${status})`);
  return answer.data ?? {};
}

/** Only its owner reads it, from its first byte. Another run at the same time has a draft of its own. */
function keep(path, text) {
  const draft = `${path}.${randomUUID()}.draft`;
  writeFileSync(draft, text, { mode: 0o400 });
  chmodSync(draft, 0o400);
  renameSync(draft, path);
}

function readValues() {
  if (!valuesFile) return new Map();
  const known = new Set(Object.values(contract).flatMap((keys) => Object.keys(keys)));
  const values = new Map();
  for (const [index, line] of readText(valuesFile, 'VALUES_FILE').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=([^\s"'`$\\]+)$/.exec(line) ?? [];
    if (name === undefined) throw new Refused(`${valuesFile}, line ${index + 1}: is not NAME=value, without quotes and white space`);
    if (!known.has(name)) throw new Refused(`${valuesFile}, line ${index + 1}: ${name} is no key of this stack`);
    if (values.has(name)) throw new Refused(`${valuesFile}, line ${index + 1}: ${name} is there twice`);
    values.set(name, value);
  }
  return values;
}

function readText(path, what) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refused(`${what}: ${path} can't be read (${error.code})`);
  }
}
