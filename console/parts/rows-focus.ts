/** So many frames a table of many rows has to draw the one that is asked for. */
const patience = 10;

/** Moves the focus into a row of a table, counted from 0: to its first link or button, or else to the row itself. */
export function focusRow(body: HTMLTableSectionElement | null, index: number, frames: number = patience): void {
  // In a long table the rows say where they are: its heading is the first.
  const isLong = body?.querySelector('[aria-rowindex]') != null;
  const row = isLong ? body.querySelector<HTMLElement>(`[aria-rowindex="${index + 2}"]`) : body?.rows[index];
  if (row == null) {
    if (body !== null && frames > 0) requestAnimationFrame(() => focusRow(body, index, frames - 1));
    return;
  }
  const first = row.querySelector<HTMLElement>('a[href], button:not([tabindex="-1"])');
  if (first === null) row.tabIndex = -1;
  (first ?? row).focus({ preventScroll: true });
}
