# Sourced by the scripts that install one program into node_modules/.cache/stores/<name>/, at a pinned version, once.

# find_place NAME PROGRAM VERSION: sets `target`, `program` and `version`; ends the script where that version is there.
find_place() {
  target=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/node_modules/.cache/stores/$1
  program=$target/$2
  version=$3
  if [ -x "$program" ] && [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
    printf '%s\n' "$program"
    exit 0
  fi
}

# make_draft: sets `draft`, a directory beside the target, which is removed when the script ends.
make_draft() {
  mkdir -p "$(dirname "$target")"
  draft=$(mktemp -d "$target.draft.XXXXXX")
  trap 'rm -rf "$draft"' EXIT
}

# put_program FILE: makes it the program, and the only file of its place but for its version, which is there first:
# whoever finds the program reads that.
put_program() {
  chmod 755 "$1"
  rm -rf "$target"
  mkdir "$target"
  printf '%s\n' "$version" >"$target/VERSION"
  mv "$1" "$program"
  printf '%s\n' "$program"
}

# say_placed: writes down which version is there, and says where.
say_placed() {
  printf '%s\n' "$version" >"$target/VERSION"
  printf '%s\n' "$program"
}
