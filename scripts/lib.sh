# What every script here shares: how steps are announced, timed, remembered and refused.
# Sourced, never run. It leaves the caller in the root of the checkout.
# shellcheck shell=bash

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
# Tools that had to be built for this project. Continuous integration points it outside the
# checkout, because it starts every run from a fresh clone.
TOOLS="${TRUEUP_TOOLS:-$ROOT/.tools}"
STAMPS="$ROOT/target/stamps"
LOGS="$ROOT/target/test-logs"
PATH="$TOOLS/bin:$ROOT/node_modules/.bin:$PATH"
export ROOT TOOLS STAMPS LOGS PATH

# say TEXT: one line about what is going on.
say() { printf '%s\n' "$*"; }

# die TEXT: stops with a sentence that names what is wrong and the mend.
die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

# step "what, and why" COMMAND...: announces the command, runs it, and tells how long it took.
# Not to be called inside a condition: bash would then ignore failures within COMMAND.
step() {
  local title="$1" started=$SECONDS status=0
  shift
  printf '\n==> %s\n' "$title"
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    printf '<== failed after %ds: %s\n' "$((SECONDS - started))" "$title" >&2
    exit "$status"
  fi
  printf '<== done in %ds\n' "$((SECONDS - started))"
}

have() { command -v "$1" >/dev/null 2>&1; }

hash_stream() {
  if have sha256sum; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

# fingerprint PATH...: a hash over names and contents of all files below the paths. Contents and
# not times, so that a deleted file, a fresh clone and a changed branch are all seen for what
# they are. Folders that are themselves built are left out, unless one is named as a path.
fingerprint() {
  local starts=() path
  for path in "$@"; do
    if [ -d "$path" ]; then starts+=("$path/."); elif [ -e "$path" ]; then starts+=("$path"); fi
  done
  if [ "${#starts[@]}" -eq 0 ]; then
    say none
    return
  fi
  find "${starts[@]}" \( -name node_modules -o -name dist -o -name coverage -o -name test-results \) \
    -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum | hash_stream
}

# stamp_matches NAME FINGERPRINT: whether the step NAME was last done for just this input.
stamp_matches() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }

# stamp NAME FINGERPRINT: remembers that the step NAME was done for this input.
stamp() {
  mkdir -p "$STAMPS"
  printf '%s\n' "$2" >"$STAMPS/$1"
}

# as_root COMMAND...: runs it as root, or fails when that would need a password nobody can type.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    sudo "$@"
  else
    return 1
  fi
}

# apt_install PACKAGE...: installs Debian packages; fails quietly where there is no apt or no right.
apt_install() {
  have apt-get || return 1
  say "installing with apt-get: $*"
  local log="$ROOT/target/apt.log"
  mkdir -p "$ROOT/target"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 && return
  # The usual reason on a new machine is that no package list was ever fetched.
  as_root apt-get update >>"$log" 2>&1 || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    return 1
  }
}

# locked_version CRATE: the version of a crate in Cargo.lock.
locked_version() {
  awk -v crate="$1" '$0 == "name = \"" crate "\"" { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}
