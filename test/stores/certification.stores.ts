import { certificationOf } from './certification.ts';
import { certifiedStores } from './certified-stores.ts';

for (const store of certifiedStores) certificationOf(store);
