import type { ErrorCode } from '../../kernel/error.ts';

/**
 * What runs on the other machine, by its POSIX shell (IEEE Std 1003.1, Shell Command Language). The scripts are always
 * the same: what differs comes as arguments, in quotes, and by standard input.
 */

/**
 * Arguments: the directory, and whether it may be new. Reads paths, a line each, and says the digest of those that are
 * files: `<hex>  <path>`.
 */
export const lookScript = `
set -eu
command -v sha256sum >/dev/null || exit 24
[ -n "$2" ] || [ -e "$1/sha256" ] || [ -L "$1/sha256" ] || exit 26
[ -e "$1" ] || exit 0
cd "$1"
while IFS= read -r path; do
  if [ -f "$path" ] && [ ! -L "$path" ] && [ ! -L sha256 ]; then sha256sum "$path"; fi
done
`;

/** Arguments: the directory, the path in it, the SHA-256, the mode, and the owner or nothing. Reads the bytes. */
export const putScript = `
set -eu
command -v sha256sum >/dev/null || exit 24
umask 022
mkdir -p "$1"
cd "$1"
folder=.
case "$2" in
sha256/*)
  folder=sha256
  [ ! -L sha256 ] || exit 21
  mkdir -p sha256
  ;;
esac
[ ! -d "$2" ] || exit 23
umask 077
draft=$(mktemp "$folder/.arriving.XXXXXXXXXX")
trap 'rm -f "$draft"' EXIT
trap 'exit 129' HUP INT TERM
cat >"$draft"
sum=$(sha256sum <"$draft")
[ "\${sum%% *}" = "$3" ] || exit 22
[ -z "$5" ] || chown "$5" "$draft" || exit 25
chmod "$4" "$draft"
sync "$draft" 2>/dev/null || sync
mv -f "$draft" "$2"
sync "$folder" 2>/dev/null || sync
`;

/** What `lookScript` ends with where nothing was ever installed. */
export const nothingThere = 26;

interface Exit {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What the scripts end with, and what it means. */
export const exits: Readonly<Record<number, Exit>> = {
  21: {
    code: 'invalid_path',
    message: 'its folder sha256 is a symbolic link',
    hint: 'remove the link: what is installed stays in the directory that was named',
  },
  22: {
    code: 'digest_mismatch',
    message: 'what arrived has another digest, and was not installed',
    hint: 'run the command again; when it fails again, look for what writes to the files here',
  },
  23: { code: 'invalid_path', message: 'a directory is where a file has to be', hint: 'remove it there' },
  24: { code: 'storage_unavailable', message: 'it has no program sha256sum', hint: 'install coreutils there' },
  25: {
    code: 'invalid_value',
    message: 'the file cannot be given to that owner',
    hint: 'name a user, or user:group, of that machine, and log in there as root',
  },
};
