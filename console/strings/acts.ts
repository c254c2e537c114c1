/** Of what is done to a package: each says what will happen, before it happens. */
export const acts = {
  cancel: 'Cancel',
  reason: 'Reason',
  noReason: 'Say why, in a few words.',
  reasonHint: 'It stays in the log, for whoever asks later.',
  noUndo: 'This cannot be undone.',
  notKnown: 'There was no answer, so nobody knows here whether it was done. Close this, and look at the page before you try again.',
  changed: 'The package has changed since this page showed it. The page shows it as it is now.',
  code: 'Code',

  seal: {
    button: 'Seal',
    title: 'Seal this package?',
    explain: (files: string, size: string): string =>
      `It then never changes again: its manifest names these ${files}, ${size}, and gets a digest that goes into the log.`,
    oneFile: '1 file',
    manyFiles: (count: string): string => `${count} files`,
    exact: 'Exactly the files that this page has read are sealed. Where somebody adds one meanwhile, nothing is sealed.',
    refused: (count: number, shown: string): string =>
      count === 1
        ? '1 file that was to be added here was refused. It is not in the package, and cannot be added once it is sealed.'
        : `${shown} files that were to be added here were refused. They are not in the package, and cannot be added once it is sealed.`,
    onTheirWay: 'Files are still on their way into it: those that are not stored by then will be refused.',
    reading: (done: string, all: string): string => `Reading the list of files: ${done} of ${all}…`,
    submit: 'Seal it',
    running: 'Sealing…',
    done: 'Sealed. The command below fetches it, checked file by file.',
  },

  hold: {
    button: 'Hold',
    title: 'Hold this package?',
    explain: 'Nothing of it is deleted until the hold is released, whatever its retention class says. It may have several holds.',
    canUndo: 'A hold can be released at any time, by whoever may keep.',
    submit: 'Hold it',
    running: 'Holding…',
    done: (reason: string): string => `The hold “${reason}” was applied.`,
    undo: 'Undo',
    justNow: 'applied just now: it can be undone above',
    undoReason: 'undone right after it was applied',
    undone: 'The hold was released again.',
  },

  release: {
    button: 'Release hold',
    buttonOf: (reason: string): string => `Release hold “${reason}”`,
    title: 'Release this hold?',
    of: (reason: string, owner: string): string => `“${reason}”, applied by ${owner}.`,
    explain: (others: number): string =>
      others === 0
        ? 'The package is then kept only as long as its retention class and its extensions say.'
        : others === 1
          ? 'Another hold still keeps the package.'
          : `${others} other holds still keep the package.`,
    expired: 'Its time has passed: without a hold the next collection deletes its bytes.',
    reasonHint: 'May be left out. It stays in the log.',
    submit: 'Release it',
    running: 'Releasing…',
    done: 'The hold was released.',
    undo: 'Hold it again',
  },

  extend: {
    button: 'Keep longer',
    title: 'Keep this package longer?',
    explain: (until: string): string => `It is kept until ${until} now. Retention is only ever extended, so this cannot be taken back.`,
    explainHeld: (until: string): string =>
      `It is held now, and kept as long as that. Once no hold is left, its time counts, which is until ${until} now. Retention is only ever extended, so this cannot be taken back.`,
    until: 'Keep it until the end of',
    never: 'Keep it without an end',
    quick: 'Later by',
    days: (count: number): string => `${count} days`,
    year: '1 year',
    noDay: 'Choose a day.',
    notLater: (time: string): string => `Choose a later day: it has to end after ${time}.`,
    result: (time: string): string => `Kept until ${time}.`,
    resultNever: 'Kept without an end.',
    submit: 'Keep it longer',
    running: 'Extending…',
    done: (time: string): string => `Kept until ${time}.`,
    doneNever: 'Kept without an end.',
  },

  abandon: {
    button: 'Abandon',
    title: 'Abandon this package?',
    explain: (files: string, size: string): string =>
      `It is given up before it was sealed. Its ${files}, ${size}, can no longer be used, and the next collection deletes their bytes.`,
    empty: 'It is given up before it was sealed. It holds no file.',
    submit: 'Abandon it',
    running: 'Abandoning…',
    done: 'Abandoned. What happened to it stays in the log.',
  },

  pull: {
    label: 'Fetch it',
    needs: 'It needs artifactstore on the computer where it runs. Without it, download the package as tar.',
    needsToken: 'It needs artifactstore where it runs, and a token in ARTIFACTSTORE_API_TOKEN. Without them, download the package as tar.',
    what: 'the command that pulls it',
  },
} as const;
