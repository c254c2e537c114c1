// What Vault has to hold for this stack, by path and key: the form of each value, and what makes it where it is missing.
import { randomBytes } from 'node:crypto';

export const mount = 'kv';
export const base = 'tribuence/v2';

const hex = (bytes) => ({
  form: new RegExp(`^[A-Za-z0-9_-]{${bytes},128}$`),
  make: () => randomBytes(bytes).toString('hex'),
  from: 'generated',
});
// In addresses it is not encoded, so it must not have a sign that would end it there.
const word = (value) => ({ form: /^[A-Za-z0-9_-]{1,63}$/, make: () => value, from: 'default' });
const address = (value) => ({ form: /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?$/, make: () => value, from: 'default' });
const given = (form, what) => ({ form, make: () => undefined, from: what });

/** The two secrets of Cosmo's tokens have exactly 32 characters: its controlplane starts with no others. */
const exactly32 = { form: /^[A-Za-z0-9]{32}$/, make: () => randomBytes(16).toString('hex'), from: 'generated' };

export const contract = {
  minio: {
    MINIO_ACCESS_KEY: { form: /^[A-Za-z0-9]{3,20}$/, make: () => randomBytes(10).toString('hex'), from: 'generated' },
    MINIO_SECRET_KEY: { form: /^[A-Za-z0-9]{8,40}$/, make: () => randomBytes(20).toString('hex'), from: 'generated' },
    COSMO_S3_BUCKET: { form: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, make: () => 'cosmo', from: 'default' },
  },
  artifacts: {
    S3_ENDPOINT_URL: address('http://minio:9000'),
    S3_REGION: word('auto'),
    S3_FORCE_PATH_STYLE: { form: /^(true|false)$/, make: () => 'true', from: 'default' },
    S3_USE_INDIVIDUAL_DELETES: { form: /^(true|false)$/, make: () => 'true', from: 'default' },
  },
  postgres: { POSTGRES_USER: word('postgres'), POSTGRES_PASSWORD: hex(24) },
  cosmo: {
    COSMO_POSTGRES_USER: word('cosmo'),
    COSMO_POSTGRES_PASSWORD: hex(24),
    COSMO_POSTGRES_DB: word('controlplane'),
    COSMO_CLICKHOUSE_DB: word('cosmo'),
    COSMO_CLICKHOUSE_USER: word('cosmo'),
    COSMO_CLICKHOUSE_PASSWORD: hex(24),
    COSMO_REDIS_PASSWORD: hex(24),
    COSMO_AUTH_JWT_SECRET: exactly32,
    COSMO_AUTH_ADMISSION_SECRET: exactly32,
    COSMO_KEYCLOAK_ADMIN: word('cosmo-admin'),
    COSMO_KEYCLOAK_ADMIN_PASSWORD: hex(24),
    COSMO_SEED_API_KEY: { form: /^cosmo_[0-9a-f]{32}$/, make: () => `cosmo_${randomBytes(16).toString('hex')}`, from: 'generated' },
    COSMO_SEED_USER_EMAIL: given(/^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$/, 'the address of the first user'),
    COSMO_SEED_USER_PASSWORD: hex(16),
    COSMO_SEED_ORG: given(/^[a-z0-9][a-z0-9-]{1,62}$/, 'the name of the first organization, in small letters'),
    COSMO_CONTROLPLANE_ALLOWED_ORIGINS: {
      form: /^https?:\/\/[^\s,]+(,https?:\/\/[^\s,]+)*$/,
      make: () => 'http://cosmo-studio:3000',
      from: 'default',
    },
    COSMO_WEB_BASE_URL: address('http://cosmo-studio:3000'),
    COSMO_AUTH_REDIRECT_URI: {
      form: /^https?:\/\/[^\s]+$/,
      make: () => 'http://cosmo-controlplane:3001/v1/auth/callback',
      from: 'default',
    },
    COSMO_KEYCLOAK_FRONTEND_URL: address('http://cosmo-keycloak:8080'),
  },
};

/** Values that stand for one: they count as missing, and none of them is ever kept. */
export function isPlaceholder(value) {
  const bare = value
    .trim()
    .replace(/^(["'`])(.*)\1$/s, '$2')
    .trim();
  return bare === '' || /^(change[-_ ]?me|replace[-_ ]?me|placeholder|todo|tbd|x{3,}|your[-_].*|<.*>|\$\{.*\})/i.test(bare);
}

/** What the agent may read, and nothing else. */
export const policy = Object.keys(contract)
  .map((name) => `path "${mount}/data/${base}/${name}" { capabilities = ["read"] }`)
  .join('\n');
