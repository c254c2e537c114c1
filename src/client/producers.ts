import type { Producers } from '../registry/REGISTRY.ts';
import { getJson, queryText } from './request.ts';
import { producersShape } from './shape.ts';
import type { Transport } from './transport.ts';

export function remoteProducers(transport: Transport): Producers {
  return { list: (query = {}) => getJson(transport, `/producers${queryText({ ...query })}`, producersShape) };
}
