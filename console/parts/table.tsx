import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { overflowClass, useOverflow } from './overflow.ts';

/** A column; `right` for numbers. */
export type Column = string | { readonly name: string; readonly right: true };

/** Said where a table is not drawn as one: not every browser takes it for a table then. */
const tableRole = { role: 'table' } as const;
const groupRole = { role: 'rowgroup' } as const;
const headingRole = { role: 'columnheader' } as const;
export const rowRole = { role: 'row' } as const;
export const cellRole = { role: 'cell' } as const;

/**
 * A table that scrolls by itself where it is wider than the page: it then shows that, and takes the focus, so that the
 * keyboard scrolls it too.
 */
export function Table({
  label,
  columns,
  of,
  children,
  below,
}: {
  readonly label: string;
  readonly columns: readonly Column[];
  /**
   * Whose columns have widths of their own, which stay whatever rows are drawn (`table.css`). Rows of packages are
   * cards where it is narrow (`package-table.css`).
   */
  readonly of?: 'packages' | 'usage';
  /** Its rows. */
  readonly children: ComponentChildren;
  readonly below?: ComponentChildren;
}) {
  const frame = useRef<HTMLElement>(null);
  const overflow = useOverflow(frame);
  const [table, group, row, heading] = of !== 'packages' ? [{}, {}, {}, {}] : [tableRole, groupRole, rowRole, headingRole];
  return (
    <div class={overflowClass(overflow)}>
      <section ref={frame} class="table-frame" aria-label={label} {...(overflow.before || overflow.after ? { tabIndex: 0 } : {})}>
        <table class={of === undefined ? 'table' : `table table-${of}`} {...table}>
          <thead {...group}>
            <tr {...row}>
              {columns.map((column) =>
                typeof column === 'string' ? (
                  <th key={column} scope="col" {...heading}>
                    {column}
                  </th>
                ) : (
                  <th key={column.name} scope="col" class="right" {...heading}>
                    {column.name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody {...group}>{children}</tbody>
        </table>
        {below}
      </section>
    </div>
  );
}

/** What scrolls by itself, and so takes the focus. */
export function ScrollFrame({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <section class="scroll-frame" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
