import {
  type ComponentChildren,
  cloneElement,
  createContext,
  type HTMLAttributes,
  isValidElement,
  type TdHTMLAttributes,
  toChildArray,
  type VNode,
} from 'preact';
import { useContext, useRef } from 'preact/hooks';
import { overflowClass, useOverflow } from './overflow.ts';

/** A column; `right` for numbers. */
export type Column = string | { readonly name: string; readonly right: true };

/** Said where a table is not drawn as one: not every browser takes it for a table then. */
const tableRole = { role: 'table' } as const;
const groupRole = { role: 'rowgroup' } as const;
const headingRole = { role: 'columnheader' } as const;
export const rowRole = { role: 'row' } as const;
export const cellRole = { role: 'cell' } as const;

const Columns = createContext<readonly Column[]>([]);

/**
 * A row of a `Table`. Where it is narrow it is a card. The first cell that is no number is its heading; beside
 * each other one is the name of its column.
 */
export function Row({ children, ...attributes }: HTMLAttributes<HTMLTableRowElement>) {
  const columns = useContext(Columns);
  const heading = columns.findIndex((column) => typeof column === 'string');
  return (
    <tr {...rowRole} {...attributes}>
      {toChildArray(children).map((child, index) => {
        if (!isValidElement(child)) return child;
        const cell = child as VNode<TdHTMLAttributes>;
        // What goes over all columns is of none.
        const label = cell.props.colSpan === undefined && index !== heading ? nameOf(columns[index]) : undefined;
        return cloneElement(cell, { ...cellRole, ...(label === undefined ? {} : { 'data-label': label }) });
      })}
    </tr>
  );
}

function nameOf(column: Column | undefined): string | undefined {
  return typeof column === 'string' ? column : column?.name;
}

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
   * Whose columns have widths of their own, which stay whatever rows are drawn (`table.css`). Rows are cards where it
   * is narrow (`cards.css`); those of a batch, which has few columns, stay rows.
   */
  readonly of?: 'packages' | 'usage' | 'batch';
  /** Its rows. */
  readonly children: ComponentChildren;
  readonly below?: ComponentChildren;
}) {
  const frame = useRef<HTMLElement>(null);
  const overflow = useOverflow(frame);
  const [table, group, row, heading] = of === 'batch' ? [{}, {}, {}, {}] : [tableRole, groupRole, rowRole, headingRole];
  return (
    <div class={overflowClass(overflow)}>
      <section ref={frame} class="table-frame" aria-label={label} {...(overflow.before || overflow.after ? { tabIndex: 0 } : {})}>
        <table class={`table ${of === undefined ? '' : `table-${of}`} ${of === 'batch' ? '' : 'cards'}`} {...table}>
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
          <tbody {...group}>
            <Columns.Provider value={columns}>{children}</Columns.Provider>
          </tbody>
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
