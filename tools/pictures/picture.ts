import { createHash } from 'node:crypto';
import type { PackedFile } from './packed.ts';

/** What draws the pictures of docs/pictures/, and how it is asked to. */
export const mermaid: PackedFile = {
  name: 'mermaid',
  version: '12.3.0',
  path: 'dist/mermaid.min.js',
  sha256: '336df803d87a38b70a01e736e666c8f7601d2ce42f5e47c8fafe5d721074b9a3',
};
export const settings: Readonly<Record<string, unknown>> = {
  startOnLoad: false,
  theme: 'base',
  look: 'classic',
  layout: 'dagre',
  htmlLabels: false,
  flowchart: { htmlLabels: false, curve: 'basis', wrappingWidth: 300, padding: 12, nodeSpacing: 24, rankSpacing: 36 },
  fontFamily: '"Liberation Sans", Arial, Helvetica, sans-serif',
};

const light = { paper: '#ffffff', edge: '#d1d9e0', ink: '#1f2328', line: '#59636e' };
const dark = { paper: '#0d1117', edge: '#3d444d', ink: '#e6edf3', line: '#9198a1' };

/** Fill and border of a box, by the class that a source gives it. */
const kinds: Readonly<Record<string, { readonly light: readonly [string, string]; readonly dark: readonly [string, string] }>> = {
  default: { light: ['#f6f8fa', '#818b98'], dark: ['#151b23', '#656c76'] },
  waiting: { light: ['#fff8c5', '#9a6700'], dark: ['#2a2211', '#d29922'] },
  kept: { light: ['#dafbe1', '#1a7f37'], dark: ['#12261e', '#3fb950'] },
  alarm: { light: ['#ffebe9', '#cf222e'], dark: ['#2a1517', '#f85149'] },
  door: { light: ['#ddf4ff', '#0969da'], dark: ['#121d2f', '#4493f8'] },
};

/** Both looks in one file: a page in dark colours shows the picture in dark colours where the browser can tell. */
export const pictureStyle: string = `${look(light, 'light')}@media (prefers-color-scheme:dark){${look(dark, 'dark')}}`;

function look(colours: typeof light, scheme: 'light' | 'dark'): string {
  return [
    `.paper{fill:${colours.paper};stroke:${colours.edge}}`,
    `text{font:15px "Liberation Sans",Arial,Helvetica,sans-serif;fill:${colours.ink};text-anchor:middle}`,
    `.edgeLabel text{font-size:13px;fill:${colours.line}}.edgeLabel rect{fill:${colours.paper}}`,
    `.flowchart-link{fill:none;stroke:${colours.line};stroke-width:1.5}.marker{fill:${colours.line}}`,
    ...Object.entries(kinds).map(
      ([
        kind,
        {
          [scheme]: [fill, stroke],
        },
      ]) => `.${kind} .label-container{fill:${fill};stroke:${stroke}}`,
    ),
  ].join('');
}

/** Of all that decides what a picture looks like: a test compares it with the one that the picture carries. */
export function pictureDigest(source: string): string {
  return createHash('sha256')
    .update(JSON.stringify([mermaid, settings, pictureStyle, source]))
    .digest('hex');
}

/**
 * What Mermaid drew, made to stand alone: on paper of its own in both colour schemes, with text as text, which every
 * viewer shows, and nothing else that a viewer does not need. `title` is for those who cannot see it.
 */
export function finishPicture(drawn: string, { source, title }: { readonly source: string; readonly title: string }): string {
  const box = /viewBox="([^"]+)"/.exec(drawn)?.[1]?.split(' ').map(Number) as [number, number, number, number];
  const [x, y, width, height] = [Math.floor(box[0] - margin), Math.floor(box[1] - margin), ...box.slice(2).map(around)] as typeof box;
  const body = drawn
    .replace(/^<svg[^>]*>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/ (?:data-[\w-]+|role|tabindex|aria-[\w-]+)="[^"]*"/g, '')
    .replace(/<path ([^>]*)style="[^"]*"/g, '<path $1')
    .replace(/<marker id="([^"]+)".*?<\/marker>/gs, (marker, id: string) => (drawn.includes(`url(#${id})`) ? marker : ''))
    .replace(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2))));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<!-- drawn by tools/pictures/draw.ts from ${pictureDigest(source)} -->`,
    `<style>${pictureStyle}</style>`,
    `<rect class="paper" x="${x + 0.5}" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    body,
    '</svg>\n',
  ].join('\n');
}

const margin = 20;
const around = (length: number): number => Math.ceil(length + 2 * margin);

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
