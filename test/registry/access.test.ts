import { accessConformance } from '../../src/registry/conformance/access.ts';
import { openTestRegistry } from './open-registry.ts';

accessConformance('in process', openTestRegistry);
