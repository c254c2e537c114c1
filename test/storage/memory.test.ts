import { storageConformance } from '../../src/storage/conformance.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';

storageConformance('memory', async () => ({ storage: openMemoryStorage({ id: 'memory' }), close: async () => undefined }));
