import { moduleUrl } from '../../runtime/module-url.ts';

/**
 * The module that a database loads the operations from, here or in a thread. Apart from them: who only hands it on
 * needs neither them nor the query builder, a quarter of all the code that a server loads.
 */
export const operationsUrl: URL = moduleUrl('./operations.ts', import.meta.url);
