import type { CommandTable } from './definition.ts';

/** Every command of the core. Its file is loaded when it is called, so that the others cost nothing. */
export const commands: CommandTable = {
  push: { summary: 'send a directory and seal it as a package', load: async () => (await import('./commands/push.ts')).push },
  pull: { summary: 'bring a package into a directory', load: async () => (await import('./commands/pull.ts')).pull },
  manifest: { summary: "print a sealed package's manifest", load: async () => (await import('./commands/manifest.ts')).manifest },
  verify: { summary: "check a package's bytes against its manifest", load: async () => (await import('./commands/verify.ts')).verify },
  import: {
    summary: 'copy packages from another registry, once or as a mirror',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  packages: {
    summary: 'list packages, show one',
    commands: {
      list: { summary: 'list packages, the newest first', load: async () => (await import('./commands/packages-list.ts')).packagesList },
      show: { summary: 'show a package', load: async () => (await import('./commands/packages-show.ts')).packagesShow },
    },
  },
  events: {
    summary: 'print the log of events, or follow it',
    load: async () => (await import('./commands/events.ts')).events,
    commands: {
      verify: {
        summary: 'check the log from its first event to its last',
        load: async () => (await import('./commands/events-verify.ts')).eventsVerify,
      },
    },
  },
  whoami: {
    summary: 'show whom the server takes you for, and what you may do',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  producers: {
    summary: 'see who has how much',
    commands: {
      list: {
        summary: 'list producers with what they have, and their quotas',
        load: async () => (await import('./commands/producers-list.ts')).producersList,
      },
    },
  },
  uploads: {
    summary: 'list and abandon uploads that are open',
    commands: {
      list: {
        summary: 'list open uploads of everybody',
        load: async () => (await import('./commands/uploads-list.ts')).uploadsList,
      },
      abandon: {
        summary: 'end an upload and delete its bytes',
        load: async () => (await import('./commands/uploads-abandon.ts')).uploadsAbandon,
      },
    },
  },
  usage: { summary: 'show how full the registry is', load: async () => (await import('./commands/usage.ts')).usage },
  retention: {
    summary: 'see and change how long packages are kept, and collect what has expired',
    commands: {
      show: {
        summary: 'say why a package is kept or will go, and when',
        load: async () => (await import('./commands/retention-show.ts')).retentionShow,
      },
      expiring: {
        summary: 'list packages that will go, the soonest first',
        load: async () => (await import('./commands/retention-expiring.ts')).retentionExpiring,
      },
      extend: { summary: 'keep a package longer', load: async () => (await import('./commands/retention-extend.ts')).retentionExtend },
      hold: {
        summary: 'keep a package until the hold is released',
        load: async () => (await import('./commands/retention-hold.ts')).retentionHold,
      },
      release: { summary: 'release a hold', load: async () => (await import('./commands/retention-release.ts')).retentionRelease },
      sweep: {
        summary: 'mark packages that have expired',
        load: async () => (await import('./commands/retention-sweep.ts')).retentionSweep,
      },
      gc: {
        summary: 'collect what is marked and delete its bytes',
        load: async () => (await import('./commands/retention-gc.ts')).retentionGc,
      },
    },
  },
  storage: {
    summary: 'check what is stored, and move it',
    commands: {
      adopt: {
        summary: "make a storage backend without a marker this registry's own",
        load: async () => (await import('./commands/storage-adopt.ts')).storageAdopt,
      },
      certify: {
        summary: 'find out what an S3 store is safe to be used for',
        load: async () => (await import('./commands/storage-certify.ts')).storageCertify,
      },
      move: {
        summary: 'move files from one storage backend to another',
        load: async () => (await import('./commands/storage-move.ts')).storageMove,
      },
      verify: {
        summary: 'read every stored object and check its digests',
        load: async () => (await import('./commands/storage-verify.ts')).storageVerify,
      },
    },
  },
  store: {
    summary: 'make and try the bucket of a platform that needs no registry, and look at its stack',
    commands: {
      init: {
        summary: 'make the bucket where it is missing',
        load: async () => (await import('./commands/store-init.ts')).storeInit,
      },
      probe: {
        summary: 'ask the store what a platform will ask of it',
        load: async () => (await import('./commands/store-probe.ts')).storeProbe,
      },
      posture: {
        summary: 'say whether a stack of containers can be reached from inside only',
        load: async () => (await import('./commands/store-posture.ts')).storePosture,
      },
    },
  },
  smoke: {
    summary: 'say in one run whether a platform can start on its store, with evidence',
    load: async () => (await import('./commands/smoke.ts')).smoke,
  },
  provider: {
    summary: 'make, renew and end the keys of a store at whoever gives them out',
    commands: {
      'import-admin-pair': {
        summary: 'verify two authorities of an account and keep them',
        load: async () => (await import('./commands/provider-import-admin-pair.ts')).providerImportAdminPair,
      },
      rotate: {
        summary: 'make new keys, prove them, let servers take them and end the old ones',
        load: async () => (await import('./commands/provider-rotate.ts')).providerRotate,
      },
      status: {
        summary: 'show the authority, the generations of keys and the last steps',
        load: async () => (await import('./commands/provider-status.ts')).providerStatus,
      },
      revoke: {
        summary: 'end a generation of keys now',
        load: async () => (await import('./commands/provider-revoke.ts')).providerRevoke,
      },
    },
  },
  access: {
    summary: 'check the file that says who may do what',
    commands: {
      check: {
        summary: 'check the access file, and say what a token may do by it',
        load: async () => (await import('./commands/access-check.ts')).accessCheck,
      },
    },
  },
  config: {
    summary: 'see the configuration, and check it before a server is started with it',
    commands: {
      print: {
        summary: 'print every setting, and where its value comes from',
        load: async () => (await import('./commands/config-print.ts')).configPrint,
      },
      check: {
        summary: 'say all that is wrong with the configuration',
        load: async () => (await import('./commands/config-check.ts')).configCheck,
      },
    },
  },
  secrets: {
    summary: 'check that all secrets of a deployment are there, and make those that can be made',
    commands: {
      check: {
        summary: 'say all that is wrong with the secrets of a catalog',
        load: async () => (await import('./commands/secrets-check.ts')).secretsCheck,
      },
      scan: {
        summary: 'find secrets in what is to be given away',
        load: async () => (await import('./commands/secrets-scan.ts')).secretsScan,
      },
      generate: {
        summary: 'make the generated secrets that are missing',
        load: async () => (await import('./commands/secrets-generate.ts')).secretsGenerate,
      },
    },
  },
  serve: { summary: 'run the HTTP server', load: async () => (await import('./commands/serve.ts')).serve },
  dev: {
    summary: 'run a server for trying things out, with a token of its own',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  bundle: { summary: 'write the manifest of a release', load: async () => (await import('./commands/bundle.ts')).bundle },
  publish: { summary: 'hand over the artifacts of a release', load: async () => (await import('./commands/publish.ts')).publish },
  'bootstrap-serve': {
    summary: 'serve the artifacts of bundles to this machine, before there is a registry',
    load: async () => (await import('./commands/bootstrap-serve.ts')).bootstrapServe,
  },
  migrate: { summary: "bring the database's schema up to date", load: async () => (await import('./commands/migrate.ts')).migrate },
  replay: { summary: 'rebuild the views from the log of events', load: async () => (await import('./commands/replay.ts')).replay },
  backup: {
    summary: 'copy the registry into a directory, beside running servers',
    load: async () => (await import('./commands/backup.ts')).backup,
    commands: {
      verify: {
        summary: 'read a whole backup and check it',
        load: async () => (await import('./commands/backup-verify.ts')).backupVerify,
      },
    },
  },
  restore: { summary: 'bring a backup back into empty places', load: async () => (await import('./commands/restore.ts')).restore },
  health: { summary: 'print the health of database and storage as JSON', load: async () => (await import('./commands/health.ts')).health },
  version: { summary: 'print the version', load: async () => (await import('./commands/version.ts')).version },
};
