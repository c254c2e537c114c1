import { openTestRegistry } from '../open-registry.ts';
import { rescueCases, sqliteDamage } from './rescue-cases.ts';

rescueCases('SQLite', async () => {
  const store = await openTestRegistry();
  return { store, damage: sqliteDamage(store) };
});
