import type { Producers } from '../registry/REGISTRY.ts';
import { getJson, queryText } from './wire/request.ts';
import { producersShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remoteProducers(transport: Transport): Producers {
  return { list: (query = {}) => getJson(transport, `/producers${queryText({ ...query })}`, producersShape) };
}
