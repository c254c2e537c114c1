import { formatCount } from '../format.ts';
import { ScrollFrame } from '../parts/table.tsx';
import { strings } from '../strings.ts';
import { type Block, parseMarkdown, type Span } from './markdown.ts';

/** A Markdown text. Its headings are below those of the page, and its links name their target and lead nowhere. */
export function Rendered({ text }: { readonly text: string }) {
  return (
    <div class="prose">
      {parseMarkdown(text).map((block, index) => (
        <Shown key={index} block={block} label={strings.file.tableCalled(formatCount(index + 1))} />
      ))}
    </div>
  );
}

/** `label`: of what scrolls, told apart from every other part. */
function Shown({ block, label }: { readonly block: Block; readonly label: string }) {
  switch (block.kind) {
    case 'heading':
      return (
        <p class={`prose-heading prose-heading-${Math.min(block.level, 3)}`}>
          <Spans of={block.spans} />
        </p>
      );
    case 'paragraph':
      return (
        <p>
          <Spans of={block.spans} />
        </p>
      );
    case 'quote':
      return (
        <blockquote>
          <Spans of={block.spans} />
        </blockquote>
      );
    case 'code':
      return (
        <pre>
          <code>{block.text}</code>
        </pre>
      );
    case 'list': {
      const items = block.items.map((item, index) => (
        <li key={index}>
          <Spans of={item} />
        </li>
      ));
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <TableShown block={block} label={label} />;
    case 'rule':
      return <hr />;
  }
}

function TableShown({ block, label }: { readonly block: Extract<Block, { kind: 'table' }>; readonly label: string }) {
  const [headings = [], ...rows] = block.rows;
  return (
    <ScrollFrame label={label}>
      <table>
        <thead>
          <tr>
            {headings.map((cell, index) => (
              <th key={index} scope="col" class={`side-${block.sides[index] ?? 'left'}`}>
                <Spans of={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index} class={`side-${block.sides[index] ?? 'left'}`}>
                  <Spans of={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}

function Spans({ of }: { readonly of: readonly Span[] }) {
  return (
    <>
      {of.map(({ kind, text, target }, index) => {
        const key = `${index} ${kind}`;
        if (kind === 'code') return <code key={key}>{text}</code>;
        if (kind === 'strong') return <strong key={key}>{text}</strong>;
        if (kind === 'emphasis') return <em key={key}>{text}</em>;
        if (kind === 'link')
          return (
            <span key={key}>
              {text} <span class="quiet">({target})</span>
            </span>
          );
        return text;
      })}
    </>
  );
}
