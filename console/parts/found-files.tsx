import { printable } from '../../src/kernel/format/printable.ts';
import { segments } from '../api/call.ts';
import type { FoundFile } from '../api/records.ts';
import { strings } from '../strings.ts';
import { Status } from './status.tsx';
import { Row, Table } from './table.tsx';
import { Size, Time } from './values.tsx';

export function FoundFiles({ files }: { readonly files: readonly FoundFile[] }) {
  const text = strings.package;
  return (
    <Table
      label={strings.search.files}
      columns={[text.path, text.title, strings.packages.status, { name: text.bytes, right: true }, text.created]}
    >
      {files.map((file) => (
        <Row key={file.id}>
          <td class="wide path">
            <a href={`packages/${file.package.id}/files/${segments(...file.relative_path.split('/'))}`}>{printable(file.relative_path)}</a>
          </td>
          <td class="wide">
            <a href={`packages/${file.package.id}`}>{printable(file.package.name)}</a>
            <span class="second">{file.package.producer}</span>
          </td>
          <td>
            <Status status={file.package.status} />
          </td>
          <td class="right">
            <Size bytes={file.size_bytes} inList />
          </td>
          <td>
            <Time at={file.created_at} inList />
          </td>
        </Row>
      ))}
    </Table>
  );
}
