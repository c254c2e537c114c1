/** Drawn on a field of 16 by 16, with lines of one and a half. */
const shapes = {
  copy: 'M5.500 5.500v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2m-8-4a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1z',
  done: 'm3 8.500 3.500 3.500L13 4.500',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.500-1.500L14 14',
  warning: 'M8 2.500 14.500 13.500h-13zm0 4v3.500m0 1.700v.1',
  forbidden: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM4 4l8 8',
  box: 'M2 5 8 2l6 3v6l-6 3-6-3zm0 0 6 3 6-3M8 8v6',
  person: 'M8 8a2.700 2.700 0 1 0 0-5.400A2.700 2.700 0 0 0 8 8zm-5 6c.5-2.700 2.500-4 5-4s4.500 1.300 5 4',
  seal: 'M8 10.500a3.700 3.700 0 1 0 0-7.400 3.700 3.700 0 0 0 0 7.400zM6 10l-1 4 3-1.500L11 14l-1-4',
  part: 'M3 8h10',
  hold: 'M5.500 3.500v9m5-9v9',
  play: 'M5 3.500v9L12.500 8z',
  lost: 'M2 6c3.500-3.300 8.500-3.300 12 0M4.500 8.700c2-2 5-2 7 0M8 12v.1M3 14 13 2',
  opened: 'm3.500 6 4.500 4.500L12.500 6',
  closed: 'M6 3.500 10.500 8 6 12.500',
  upload: 'M8 10.500V2.500m-3.500 3L8 2l3.500 3.500M2.500 13.500h11',
  download: 'M8 2v8m-3.500-3L8 10.500 11.500 7M2.500 13.500h11',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={shapes[name]} fill="none" stroke="currentColor" stroke-width="1.500" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
