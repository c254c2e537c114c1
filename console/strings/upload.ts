/** Of what is sent from this computer into an open package. */
export const upload = {
  title: 'Add files',
  titleAdded: 'Added files',
  lead: 'Drop files and folders here.',
  leadMore: 'What is added stays: no file of a package can be changed or removed.',
  chooseFiles: 'Choose files',
  chooseFolder: 'Choose a folder',
  reading: (count: string): string => `Reading the folder: ${count} files…`,
  emptyFolders: (count: number, shown: string): string =>
    count === 1 ? 'An empty folder is left out: a package holds files.' : `${shown} empty folders are left out: a package holds files.`,
  unreadable: (path: string): string => `${path} cannot be read: it is gone, or this browser may not read it. Choose it again.`,

  staged: (files: string, size: string): string => `${files}, ${size}, are ready to be added.`,
  stagedClashing: (files: string, size: string): string => `${files}, ${size}, were chosen.`,
  storedBefore: (count: number, all: number, shown: string): string =>
    `${count < all ? `${shown} of these paths ${count === 1 ? 'is' : 'are'}` : all === 1 ? 'This path is' : 'All these paths are'} stored here already. The same bytes change nothing; other bytes are refused.`,
  chosenAgain: (count: number, all: number, shown: string): string =>
    `${count < all ? `${shown} of these files ${count === 1 ? 'was' : 'were'}` : all === 1 ? 'This file was' : 'All these files were'} chosen more than once: each is added once. ${count === 1 ? 'Where its bytes differ, it is' : 'Those whose bytes differ are'} refused.`,
  sentNow: (count: number, all: number, shown: string): string =>
    `${count < all ? `${shown} of these paths ${count === 1 ? 'is' : 'are'}` : all === 1 ? 'This path is' : 'All these paths are'} on the way already. When that has arrived, the same bytes change nothing; other bytes are refused.`,
  clashes: (count: number, shown: string): string =>
    count === 1
      ? 'Files that differ were chosen for one path, and a package has one file at a path. Say which is meant:'
      : `For each of ${shown} paths files that differ were chosen, and a package has one file at a path. Say which are meant:`,
  clashing: (path: string, size: string, changed: string): string => `${path}, ${size}, changed ${changed}`,
  leaveOut: 'Leave out',
  leaveOutOf: (which: string): string => `Leave out ${which}`,
  keepLast: 'Keep the last of each',
  keepFirst: 'Keep the first of each',
  andMorePaths: (count: string): string => `and ${count} more paths`,
  oneFile: '1 file',
  files: (count: string): string => `${count} files`,
  below: 'Below this folder of the package',
  belowHint: 'Left empty, they are at the top.',
  withoutTop: (name: string): string => `Leave out the folder “${name}” itself, as push does`,
  firstPaths: 'As they will be called',
  andMore: (count: string): string => `and ${count} more`,
  start: (files: string): string => `Add ${files}`,
  discard: 'Not these',

  progressLabel: 'Stored so far',
  stored: (files: string, all: string): string => `${files} of ${all} files are stored`,
  bytes: (sent: string, all: string): string => `${sent} of ${all} acknowledged`,
  refusedCount: (count: string): string => `${count} refused`,
  allStored: (files: string): string => `All ${files} are stored, and their digests are those of this computer.`,
  oneStored: 'The file is stored, and its digest is that of this computer.',
  thenSeal: 'The package is still open. Seal it above when it has all its files: only what is sealed is fetched by pull.',
  ended: (stored: string, refused: string): string => `Stored: ${stored}. Refused: ${refused}.`,
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  stopHint: 'What is stored stays. What has begun can be continued.',
  retryAll: 'Try the refused again',
  retry: 'Try again',
  retryOf: (path: string): string => `Try again: ${path}`,
  clear: 'Close the list',

  pausedNote: 'Paused: nothing is sent.',
  offlineNote: 'The server does not answer. What it has acknowledged stays; it continues when the server is back.',
  signInNote: 'You are not signed in any more. It continues when you have signed in.',

  another: {
    title: (owner: string, count: number, shown: string): string =>
      `${owner} was sending ${count === 1 ? 'a file' : `${shown} files`} from this tab, and is not signed in any more`,
    detail: (actor: string): string => `Nothing is sent in the name of ${actor} before you say so.`,
    takeOver: (actor: string): string => `Continue as ${actor}`,
    drop: 'Send nothing',
  },
  signOut: {
    title: 'Files are on their way from this tab',
    explain: [
      'Signing out ends that: what is stored stays, and nothing is sent in the name of who signs in next.',
      'Sign in again and drop the same files: what has begun then continues where the server has it.',
    ],
    submit: 'End them and sign out',
    stay: 'Stay signed in',
  },

  interrupted: (count: string): string =>
    `${count} files have begun and are not whole yet. Drop the same files or folders again: each continues where the server has it.`,
  interruptedOne: 'A file has begun and is not whole yet. Drop the same file or folder again: it continues where the server has it.',
  interruptedPaths: 'What had begun',
  forget: 'Give them up',
  forgetOne: 'Give it up',

  listLabel: 'Files that are added',
  path: 'Path',
  size: 'Size',
  state: 'State',
  shown: (shown: string, all: string): string => `${shown} of ${all} files are shown: refused ones first, then those on their way.`,
  states: {
    waiting: 'waiting',
    hashing: 'being read here',
    sending: 'being sent',
    finishing: 'being checked',
    stored: 'stored',
    existed: 'was there already, the same bytes',
    refused: 'refused',
  },
  of: (done: string, all: string): string => `${done} of ${all}`,

  faults: {
    empty: 'The path is empty.',
    segment: (segment: string): string => `The path has the segment “${segment}”.`,
    twice: 'Files that differ were chosen for this path. None of them is sent: choose the one that is meant, alone.',
    unreadable: 'This computer cannot read it any more: it has changed since it was chosen, or is gone. Choose it again.',
    changed:
      'Other bytes have arrived than were read here: the file has changed, or the line has altered it. Nothing of it was stored: try again.',
    otherDigest: (stored: string, here: string): string =>
      `The server says that it has stored other bytes: SHA-256 ${stored}, here ${here}. Do not seal this package; tell whoever runs the registry.`,
    otherLength: (stored: string, here: string): string => `The server says that it has stored ${stored} bytes; here there are ${here}.`,
    superseded: 'Another tab or another program is sending this file into the same upload. Try again when it has ended.',
    otherPlace: (path: string): string => `The server says that it has stored this as ${path}.`,
    noAddress: 'The server has begun an upload, and does not say where.',
  },

  running: (percent: string): string => `Adding files: ${percent} %`,
  runningPaused: 'Adding files is paused',
  leaving: 'Files are still on their way.',
  announceStored: 'All files are stored.',
  announceRefused: (count: number, shown: string): string => (count === 1 ? '1 file was refused.' : `${shown} files were refused.`),
} as const;
