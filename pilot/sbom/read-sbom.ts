import type { JsonObject, JsonValue } from 'artifactstore';
import { isObject, parseDocument } from '../ingest/document.ts';
import { type Scan, scan } from '../ingest/scan.ts';
import type { Library, Work } from '../tools.ts';

/** A bill of materials with its build's logs, and what the schema `sbom.v1` asks for. */
export interface Sbom {
  readonly scanned: Scan;
  /** `urn:cdx:<serial number>/<version>`: how others refer to exactly this bill. */
  readonly bomLink: string;
  /** The component that the bill is of: its package URL, or its name and version. */
  readonly subject: string;
  readonly metadata: JsonObject;
}

export async function readSbom(work: Work, directory: string): Promise<Sbom> {
  const { library } = work.tools;
  const bills = new Map<string, JsonObject>();
  const logs: string[] = [];
  const scanned = await scan(work, directory, async (path, bytes) => {
    if (path.endsWith('.log')) logs.push(path);
    if (!path.endsWith('.json')) return;
    const value = parseDocument(library, path, await bytes());
    if (isObject(value) && value.bomFormat === 'CycloneDX') bills.set(path, value);
  });
  const refuse = (message: string, field: string) => new library.ArtifactstoreError('invalid_path', message, { field });
  const [[path, bill] = ['', {}], ...others] = bills;
  if (path === '')
    throw refuse(`There is no CycloneDX bill of materials below "${directory}": no JSON has the bomFormat "CycloneDX".`, 'dir');
  if (others.length > 0)
    throw refuse(`There are ${bills.size} bills of materials below "${directory}": ${[...bills.keys()].join(', ')}.`, 'dir');
  if (logs.length === 0) throw refuse(`There is no log of the build below "${directory}": no file ends in .log.`, 'dir');

  const serial = /^urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(required(library, path, bill, 'serialNumber'))?.[1];
  if (serial === undefined) throw refuse(`The serialNumber of "${path}" is not of the form urn:uuid:….`, `${path}#/serialNumber`);
  const bomLink = `urn:cdx:${serial.toLowerCase()}/${typeof bill.version === 'number' ? bill.version : 1}`;
  const described = isObject(bill.metadata) ? bill.metadata : {};
  const component = isObject(described.component) ? described.component : {};
  const name = required(library, path, component, 'name', '/metadata/component');
  const version = typeof component.version === 'string' ? component.version : null;
  const purl = typeof component.purl === 'string' ? component.purl : null;
  const components = listOf(bill.components);
  return {
    scanned,
    bomLink,
    subject: purl ?? (version === null ? name : `${name} ${version}`),
    metadata: {
      bom_link: bomLink,
      bom_path: path,
      spec_version: required(library, path, bill, 'specVersion'),
      component: { name, version, purl },
      built_at: typeof described.timestamp === 'string' ? described.timestamp : null,
      counts: {
        components: components.length,
        dependencies: listOf(bill.dependencies).length,
        vulnerabilities: listOf(bill.vulnerabilities).length,
        without_license: components.filter((each) => !isObject(each) || listOf(each.licenses).length === 0).length,
      },
      log_paths: logs,
    },
  };
}

function required(library: Library, path: string, value: JsonObject, key: string, pointer = ''): string {
  const found = value[key];
  if (typeof found === 'string' && found !== '') return found;
  throw new library.ArtifactstoreError(
    'invalid_value',
    `The bill of materials "${path}" has no ${pointer === '' ? key : `${pointer}/${key}`}.`,
    {
      field: `${path}#${pointer}/${key}`,
    },
  );
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
