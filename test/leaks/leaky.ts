import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretOf } from '../../src/secrets/secret.ts';

/** Lets a value out in every way that a scan looks at, each in another form. */
const value = secretOf('planted/+value').reveal();
console.log(`Authorization: Basic ${Buffer.from(`user:${value}`).toString('base64')}`);
console.error(encodeURIComponent(value));
spawn(process.execPath, ['--version', Buffer.from(value).toString('hex')], { stdio: 'ignore' });
writeFileSync(join(mkdtempSync(join(tmpdir(), 'leaky-')), 'core.1'), Buffer.from(value, 'utf16le'), { mode: 0o644 });
