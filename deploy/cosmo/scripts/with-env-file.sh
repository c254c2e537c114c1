#!/bin/sh
# with-env-file.sh FILE COMMAND [ARGUMENT...]: runs the command with the settings of a rendered file in its environment.
#
# The file is parsed and never run, and nothing of a value is ever printed. A value has letters, digits and the signs of
# an address, so that every reader of such files takes it for the same; all else is refused, with the line and the name.
#   ENV_FILE_NAMES   A,B,C: only these are given to the command, and each must be there
#   ENV_FILE_WAIT    how many seconds a file that is not there yet is waited for (60)
# Exit code 78 for a file that is wrong, 69 for one that does not come, 64 for a call without a command.
set +xv
set -u
say() { printf 'with-env-file: %s\n' "$1" >&2; }
if [ $# -lt 2 ]; then
  say 'give a file and a command'
  exit 64
fi
env_file=$1
shift

env_waited=0
while [ ! -s "$env_file" ]; do
  if [ "$env_waited" -ge "${ENV_FILE_WAIT:-60}" ]; then
    say "$env_file is not there, or empty: does the agent run, and is Vault unsealed?"
    exit 69
  fi
  env_waited=$((env_waited + 1))
  sleep 1
done
if [ ! -f "$env_file" ] || [ ! -r "$env_file" ]; then
  say "$env_file is no file that this user may read"
  exit 78
fi

env_locale=${LC_ALL-unset}
LC_ALL=C
env_return=$(printf '\r')
env_mark=$(printf '\357\273\277')
env_wanted=${ENV_FILE_NAMES:+,$ENV_FILE_NAMES,}
env_seen=,
env_line=0
env_bad=
refuse() {
  say "$env_file, line $env_line: $1"
  env_bad=yes
}

while IFS= read -r env_text || [ -n "$env_text" ]; do
  env_line=$((env_line + 1))
  case $env_text in
    '' | '#'*) continue ;;
    "$env_mark"*) refuse 'begins with a byte order mark: save the file without it'; continue ;;
    *"$env_return") refuse 'ends with a carriage return, as lines of Windows do'; continue ;;
    export\ *) refuse 'begins with "export", which only a shell understands'; continue ;;
    *=*) ;;
    *) refuse 'is not NAME=value'; continue ;;
  esac
  env_name=${env_text%%=*}
  env_value=${env_text#*=}
  case $env_name in
    '' | [!A-Z]* | *[!A-Z0-9_]*) refuse 'does not begin with a name in capitals and "="'; continue ;;
    PATH | HOME | IFS | ENV | SHELL | PS4 | PWD | BASH_* | LD_* | DYLD_* | NODE_OPTIONS | NODE_PATH | JAVA_TOOL_OPTIONS | \
      JDK_JAVA_OPTIONS | PYTHON* | PERL* | RUBYOPT | ENV_FILE_* | LC_ALL)
      refuse "$env_name changes how programs run, and is no setting"
      continue
      ;;
  esac
  case $env_seen in
    *",$env_name,"*) refuse "$env_name is there twice"; continue ;;
  esac
  env_seen=$env_seen$env_name,
  case $env_value in
    '') refuse "$env_name is empty"; continue ;;
    '<no value>') refuse "$env_name is \"<no value>\": the template found nothing there"; continue ;;
    *[!A-Za-z0-9_./:@+,=?\&%~-]*) refuse "$env_name has a sign that readers of such files treat differently"; continue ;;
    [Cc][Hh][Aa][Nn][Gg][Ee]*[Mm][Ee]* | [Rr][Ee][Pp][Ll][Aa][Cc][Ee]*[Mm][Ee]* | [Pp][Ll][Aa][Cc][Ee][Hh][Oo][Ll][Dd][Ee][Rr]* | \
      [Tt][Oo][Dd][Oo] | [Tt][Bb][Dd] | [Xx][Xx][Xx]* | [Yy][Oo][Uu][Rr]-*)
      refuse "$env_name is a placeholder"
      continue
      ;;
  esac
  case ${env_wanted:-,$env_name,} in
    *",$env_name,"*) export "$env_name=$env_value" ;;
  esac
done <"$env_file"

env_rest=$env_wanted
while [ "${env_rest#,}" != '' ]; do
  env_rest=${env_rest#,}
  env_name=${env_rest%%,*}
  env_rest=${env_rest#"$env_name"}
  case $env_seen in
    *",$env_name,"*) ;;
    *)
      say "$env_file has no $env_name: is its key in Vault, and in the template?"
      env_bad=yes
      ;;
  esac
done
[ -z "$env_bad" ] || exit 78

if [ "$env_locale" = unset ]; then unset LC_ALL; else LC_ALL=$env_locale; fi
unset env_file env_waited env_locale env_return env_mark env_wanted env_seen env_line env_bad env_text env_name env_value env_rest
unset ENV_FILE_NAMES ENV_FILE_WAIT
exec "$@"
