/**
 * The URL of a neighbouring module that is loaded by URL, such as a worker:
 * `new Worker(moduleUrl('./hash-worker.ts', import.meta.url))`. The compiler rewrites `.ts` in imports but not in URLs;
 * here the ending follows the file that asks, source or compiled.
 */
export function moduleUrl(path: `./${string}.ts`, from: string): URL {
  return new URL(from.endsWith('.ts') ? path : path.replace(/\.ts$/, '.js'), from);
}
