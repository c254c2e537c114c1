import { spawn } from 'node:child_process';
import process from 'node:process';
import type { RealStore } from '../test/stores/store.ts';
import { findProgram } from './program.ts';

/** Debian's rclone on a bucket: parts of 8 MiB, 4 at once, as artifactstore sends them by default. */
export interface Rclone {
  /**
   * Rejects unless it ends with 0. `STORE:` before a path stands for the bucket; what rclone writes to stdout goes
   * nowhere.
   */
  run(...parameters: readonly string[]): Promise<void>;
}

/** Undefined where it is not installed. */
export function openRclone(store: RealStore, bucket: string, directory: string): Rclone | undefined {
  const program = findProgram('rclone');
  if (program === undefined) return undefined;
  const environment = {
    PATH: process.env.PATH,
    HOME: directory,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_BENCH_TYPE: 's3',
    RCLONE_CONFIG_BENCH_PROVIDER: 'Ceph',
    RCLONE_CONFIG_BENCH_ENV_AUTH: 'true',
    RCLONE_CONFIG_BENCH_ENDPOINT: store.url,
    RCLONE_CONFIG_BENCH_REGION: store.region,
    RCLONE_S3_NO_CHECK_BUCKET: 'true',
    RCLONE_S3_CHUNK_SIZE: '8Mi',
    RCLONE_S3_UPLOAD_CONCURRENCY: '4',
    AWS_ACCESS_KEY_ID: store.keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.keys.secretAccessKey,
  };
  return {
    async run(...parameters) {
      const words = parameters.map((word) => word.replace(/^STORE:/, `BENCH:${bucket}/`));
      const child = spawn(program, words, { cwd: directory, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
      const kill = () => child.kill('SIGKILL');
      process.once('exit', kill);
      let complaints = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaints = (complaints + text).slice(-2000);
      });
      const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
      process.removeListener('exit', kill);
      if (code !== 0) throw new Error(`rclone ${parameters.join(' ')} ended with ${code}: ${complaints}`);
    },
  };
}
