/** What can happen that no caller is told in full, and how people are told of it. */
const messages = {
  backend_in_doubt: 'a storage backend is not used',
  keys_unread: 'the keys of a backend cannot be read from where they are kept; those that were read stay in use',
  bytes_kept: 'what is deleted is not gone from a backend',
  object_damaged: 'a stored object is not what it should be',
  damage_unrecorded: 'a damaged object could not be recorded',
  recovery_unrecorded: 'an object that is good again could not be recorded',
  repair_failed: 'a damaged object could not be repaired',
  source_unavailable: 'bytes could not be copied from a backend that is unavailable',
  held_unsettled: 'bytes that the database holds could not be put into their backend; they are tried again',
  dead_object_left: 'a dead object was left behind',
  copies_left: 'bytes that no package has were left behind',
  draft_left: 'a draft was left behind',
  run_unnoted: 'a finished run could not be noted',
  retention_run_failed: 'the retention run failed; the next one continues',
} as const;

export type IncidentKind = keyof typeof messages;

/** Something for the log. Programs go by `kind`. */
export interface Incident {
  readonly kind: IncidentKind;
  readonly message: string;
  readonly error: unknown;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export function incident(kind: IncidentKind, error: unknown, detail?: Readonly<Record<string, unknown>>): Incident {
  return { kind, message: messages[kind], error, ...(detail === undefined ? {} : { detail }) };
}
