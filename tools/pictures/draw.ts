import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mayImport, pure } from '../../test/layers-table.ts';
import { layersPicture } from './layers.ts';
import { packed } from './packed.ts';
import { finishPicture, mermaid, settings } from './picture.ts';

/**
 * `node tools/pictures/draw.ts`: draws each docs/pictures/*.mmd into the SVG beside it; that of the layers is written
 * from their table first. Mermaid comes from the npm registry, into node_modules/.cache; the browser that it needs is
 * the machine's Chromium, or the one that CHROME_PATH names.
 */
const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'pictures');
const parts = Object.keys(mayImport).filter((part) => existsSync(join(root, 'src', part)));
writeFileSync(join(folder, 'layers.mmd'), layersPicture({ mayImport, pure }, parts));
const paths = globSync('*.mmd', { cwd: folder }).sort();
const sources = paths.map((path) => readFileSync(join(folder, path), 'utf8'));
const pictures = drawAll(sources);
for (const [index, path] of paths.entries()) {
  const source = sources[index]!;
  const title = /^%% (.*)$/m.exec(source)?.[1] ?? basename(path, '.mmd');
  writeFileSync(join(folder, path.replace(/mmd$/, 'svg')), finishPicture(pictures[index]!, { source, title }));
  console.log(`docs/pictures/${path.replace(/mmd$/, 'svg')}`);
}

function drawAll(texts: readonly string[]): readonly string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'artifactstore-pictures-'));
  try {
    const page = join(scratch, 'page.html');
    writeFileSync(
      page,
      `<!doctype html><meta charset="utf-8"><body><pre></pre><script src="${pathToFileURL(packed(mermaid))}"></script><script>
      (async () => {
        const answer = document.querySelector('pre');
        try {
          mermaid.initialize(${JSON.stringify(settings)});
          const drawn = [];
          for (const [index, text] of ${JSON.stringify(texts)}.entries()) drawn.push((await mermaid.render('p' + index, text)).svg);
          answer.textContent = JSON.stringify(drawn.map((svg) => encodeURIComponent(svg)));
        } catch (error) {
          answer.textContent = JSON.stringify({ error: encodeURIComponent(String(error)) });
        }
      })();
      </script>`,
    );
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=20000', `--user-data-dir=${scratch}/profile`];
    const dom = execFileSync(browser(), [...flags, '--dump-dom', String(pathToFileURL(page))], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const answer = JSON.parse(/<pre>(.*?)<\/pre>/s.exec(dom)?.[1] || '{"error":"no%20answer"}');
    if (!Array.isArray(answer)) throw new Error(decodeURIComponent(answer.error));
    return answer.map((svg: string) => decodeURIComponent(svg));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function browser(): string {
  const names = [process.env.CHROME_PATH, 'chromium', 'chromium-browser', 'google-chrome', 'chrome'];
  for (const name of names.filter((each) => each !== undefined)) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {}
  }
  throw new Error('No Chromium was found: install one, or name it in CHROME_PATH.');
}
