import { resolve } from 'node:path';
import { type BackendConfig, type BackendKind, settingPart } from '../kind.ts';
import { openLocalStorage } from './local.ts';

export interface LocalBackendConfig extends BackendConfig {
  readonly root: string;
}

const kind = 'local';

/** A directory of this machine. */
export const localKind: BackendKind<LocalBackendConfig> = {
  kind,
  readConfig(settings, { id, directory }) {
    const initial = id === kind ? './var/storage' : `./var/storage-${id}`;
    return { kind, id, root: resolve(directory, settings.text(rootSetting({ kind, id }), initial)) };
  },
  nameOf: (config) => ({ where: config.root, setting: `ARTIFACTSTORE_${rootSetting(config)}` }),
  directorySetting: rootSetting,
  open: async ({ id, root }) => openLocalStorage({ id, root }),
};

function rootSetting(config: BackendConfig): string {
  return `STORAGE_LOCAL_${settingPart(config)}ROOT`;
}
