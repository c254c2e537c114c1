import { base } from '../router.ts';

/** Where the build has put them, below `/console/`. */
declare const HASH_WORKER: string;
declare const LOG_WORKER: string;
declare const VERIFY_WORKER: string;

interface Policy {
  createScriptURL(url: string): string;
}

/** The one place where a text becomes the address of a script: the policy of the page names it. */
const policy = (globalThis as { readonly trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes?.createPolicy(
  'console-worker',
  {
    createScriptURL(url) {
      if (![HASH_WORKER, LOG_WORKER, VERIFY_WORKER].some((each) => url === new URL(each, base).href))
        throw new TypeError('This is no worker of the console.');
      return url;
    },
  },
);

/** Hashes files of this computer. */
export function startHasher(): Worker {
  return start(HASH_WORKER);
}

/** Reads the log, and follows its chain. */
export function startLogReader(): Worker {
  return start(LOG_WORKER);
}

/** Verifies a package, or a file of it. */
export function startVerifier(): Worker {
  return start(VERIFY_WORKER);
}

function start(path: string): Worker {
  const { href } = new URL(path, base);
  return new Worker(policy?.createScriptURL(href) ?? href, { type: 'module' });
}
