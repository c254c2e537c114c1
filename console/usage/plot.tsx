import { formatBytes, formatCount } from '../format.ts';
import { usage as text } from '../strings/usage.ts';
import type { Bars, Measure } from './groups.ts';

export function formatMeasure(value: number, measure: Measure): string {
  return measure === 'bytes' ? formatBytes(value) : formatCount(value);
}

/** Colours repeat from the sixth class on: the table beside it has every number. */
const colours = 6;

/** Horizontal bars, each cut by class. Names and sums are texts; only the bars are drawn. */
export function Plot({
  bars: { bars, legend, most },
  measure,
  link,
}: {
  readonly bars: Bars;
  readonly measure: Measure;
  readonly link?: (name: string) => string;
}) {
  return (
    <div class="plot">
      {legend.length < 2 ? null : (
        <ul class="plot-legend" aria-label={text.legend}>
          {legend.map((name, index) => (
            <li key={name}>
              <span class={`plot-sign plot-${index % colours}`} aria-hidden="true" /> {name}
            </li>
          ))}
        </ul>
      )}
      <ul class="plot-bars">
        {bars.map(({ name, value, parts }) => (
          <li key={name} class="plot-bar">
            <span class="plot-name">{link === undefined ? name : <a href={link(name)}>{name}</a>}</span>
            <span class="plot-value number">{formatMeasure(value, measure)}</span>
            <svg class="plot-line" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
              {placed(parts, most).map(({ name: part, value: its, x, width }) => (
                <rect key={part} class={`plot-${legend.indexOf(part) % colours}`} x={x} y="0" width={width} height="10">
                  <title>{`${part}: ${formatMeasure(its, measure)}`}</title>
                </rect>
              ))}
            </svg>
          </li>
        ))}
      </ul>
    </div>
  );
}

function placed(parts: Bars['bars'][number]['parts'], most: number) {
  let before = 0;
  return parts.map(({ name, value }) => {
    const x = (before / most) * 1000;
    before += value;
    // What is there is seen, however small.
    return { name, value, x, width: Math.max(2, (value / most) * 1000 - 1) };
  });
}
