import type { Credentials, CredentialsConfig } from '../credentials/CREDENTIALS.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Storage } from './STORAGE.ts';

/** A backend as the configuration names it. What else it needs is its kind's own. */
export interface BackendConfig {
  readonly kind: string;
  /** The name by which locations refer to it, for as long as they live. */
  readonly id: string;
}

/** What a backend's folder gives: how it is configured, how it is named to people, and how it is opened. */
export interface BackendKind<C extends BackendConfig = BackendConfig> {
  readonly kind: string;
  /**
   * Reads the settings of one backend. Everything is checked even where none is used; what is missing is refused only
   * where one is.
   */
  readConfig(settings: BackendSettings, backend: NamedBackend): C;
  /** Where it is, for messages, and the setting that says so. */
  nameOf(config: C): StoreName;
  /**
   * The setting, without its prefix, of a directory on this machine that it cannot do without; its default may lie in a
   * wrong place.
   */
  directorySetting(config: C): string;
  /** Which secrets it will ask for when it is opened; absent where it needs none. */
  secretReferences?(config: C): readonly SecretReference[];
  /** What a server would refuse of it before it is asked anything; absent where there is nothing. */
  requireFit?(config: C): Promise<void>;
  /** Opens it; what only this kind needs is loaded here. Whether it answers shows at the first call. */
  open(config: C, parts: BackendParts): Promise<Storage>;
}

export interface SecretReference {
  /** The setting's whole name. */
  readonly setting: string;
  /** `env:NAME`, `file:/absolute/path` or `secret:NAME`. */
  readonly reference: string;
}

export interface NamedBackend {
  readonly id: string;
  /** Where relative paths start. */
  readonly directory: string;
  /** False where no backend of the kind is configured. */
  readonly used: boolean;
}

/** What a backend may need and must not have an opinion about. */
export interface BackendParts {
  /**
   * Whether senders may be given addresses of the backend. What is not fit for it is refused then; otherwise it gives
   * none. True where absent.
   */
  readonly givesAddresses?: boolean;
  credentials(config: CredentialsConfig, about: CredentialsAbout): Credentials;
  /** Told once, when bytes of what was deleted are kept, and in what: `the bucket NAME`. */
  readonly onBytesKept?: (place: string) => void;
}

export interface CredentialsAbout {
  readonly region: string;
  /** What the names of its settings begin with, for messages. */
  readonly variables: string;
}

/** For messages. */
export interface StoreName {
  /** The directory, or the bucket with its prefix. */
  readonly where: string;
  /** The setting that says so. */
  readonly setting: string;
}

/**
 * Reads settings by their names without the prefix, and collects what is wrong. A parser throws an Error that says what
 * is wrong with the value.
 */
export interface BackendSettings {
  text(name: string, initial: string): string;
  integer(name: string, initial: number, bounds: { readonly from: number; readonly to?: number }): number;
  boolean(name: string, initial: boolean): boolean;
  /** One of `values`, compared without regard to case; answers in their spelling. */
  oneOf(name: string, initial: string, values: readonly string[]): string;
  parsed<T>(name: string, initial: string, parse: (text: string) => T): T;
  /** `env:NAME`, `file:/path` or `secret:NAME`: where a credential is, never the credential. */
  reference(name: string): string | undefined;
  /**
   * Refuses an address of `.env` for a secret that is not of `.env`: whoever wrote the directory would choose where the
   * user's own secrets go. The reverse is taken: a secret of `.env` is sent to the address that the user gave.
   */
  refuseForeignSecrets(addresses: readonly string[], secrets: readonly string[]): void;
  refuse(name: string, text: string): void;
}

/** `hot-1` is `HOT_1_` in the names of settings; the one backend that is called as its kind has plain names. */
export function settingPart({ kind, id }: BackendConfig): string {
  return id === kind ? '' : `${id.toUpperCase().replaceAll('-', '_')}_`;
}

/** The kind of a configured backend; the caller's configuration was read with the same kinds. */
export function kindOf(backend: BackendConfig, kinds: readonly BackendKind[]): BackendKind {
  const kind = kinds.find((each) => each.kind === backend.kind);
  if (kind === undefined) throw new ArtifactstoreError('internal', `No kind of backend is called "${backend.kind}"`);
  return kind as BackendKind;
}
