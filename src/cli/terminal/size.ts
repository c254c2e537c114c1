/** Bytes as people read them, in powers of 1024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  do {
    value /= 1024;
    unit += 1;
  } while (value >= 1023.95 && unit < units.length - 1);
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** `1,200` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `1 draft`, `1,200 drafts`. */
export function counted(number: number, name: string): string {
  return `${count(number)} ${name}${number === 1 ? '' : 's'}`;
}

export function countFiles(number: number): string {
  return counted(number, 'file');
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
