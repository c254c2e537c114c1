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

export function countFiles(count: number): string {
  return count === 1 ? '1 file' : `${count.toLocaleString('en')} files`;
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
