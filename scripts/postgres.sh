#!/usr/bin/env bash
# Runs a command beside a Postgres of its own, which lives as long as the command:
#   scripts/postgres.sh [--folder FOLDER] [--setting NAME=VALUE]... COMMAND...
# TRUEUP_TEST_POSTGRES names it. It listens on a socket in that folder and on no port. The folder is made,
# in memory when none is named, and gone afterwards.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# find_postgres: BIN, the folder of the newest server there is. Debian keeps it out of the PATH; what is in
# the PATH may be links to some of its programs.
find_postgres() {
  local found
  BIN=""
  for found in /usr/lib/postgresql/*/bin "$(dirname "$(readlink -f "$(command -v initdb || echo /nowhere/initdb)")")"; do
    if [ -x "$found/initdb" ]; then BIN="$found"; fi
  done
  [ -n "$BIN" ]
}

install_postgres() {
  printf '\n==> installing Postgres, on which the ledger is tested as well\n'
  apt_install postgresql
}

# as_owner COMMAND...: Postgres refuses to be run by root.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

stop_postgres() {
  as_owner "$BIN/pg_ctl" --pgdata "$HOUSE/data" --mode immediate stop >/dev/null 2>&1 || true
  rm -rf "$HOUSE"
}

USAGE="usage: scripts/postgres.sh [--folder FOLDER] [--setting NAME=VALUE]... COMMAND..."
HOUSE=""
SETTINGS="-c listen_addresses='' -c max_connections=300"
while [[ "${1:-}" == --* ]]; do
  [ -n "${2:-}" ] || die "$USAGE"
  case "$1" in
    --folder) HOUSE="$2" ;;
    --setting) SETTINGS+=" -c $2" ;;
    *) die "$USAGE" ;;
  esac
  shift 2
done
[ "$#" -gt 0 ] || die "$USAGE"
find_postgres || { install_postgres >&2 && find_postgres; } ||
  die "the tests need Postgres 14 or newer; install it, so that initdb is in the PATH or in /usr/lib/postgresql"

# Sockets have short paths. In memory where that can be: it lives for minutes.
if [ -z "$HOUSE" ]; then
  HOUSE="$(mktemp -d "$(test -w /dev/shm && echo /dev/shm || echo /tmp)/trueup-XXXXXX")"
else
  # What is there already belongs to somebody else.
  mkdir "$HOUSE" || die "$HOUSE cannot be made; name a folder that is not there yet"
fi
trap stop_postgres EXIT
if [ "$(id -u)" -eq 0 ]; then chown postgres "$HOUSE"; fi
chmod 755 "$HOUSE"
cd "$HOUSE"
as_owner "$BIN/initdb" --pgdata "$HOUSE/data" --username trueup --auth trust --encoding UTF8 \
  --locale C --no-instructions >"$HOUSE/log" 2>&1 || { cat "$HOUSE/log" && die "no database could be made"; }
as_owner "$BIN/pg_ctl" --pgdata "$HOUSE/data" --log "$HOUSE/data/log" --wait start \
  --options "$SETTINGS -c unix_socket_directories='$HOUSE'" \
  >"$HOUSE/log" 2>&1 || { cat "$HOUSE/log" "$HOUSE/data/log" && die "Postgres did not start"; }
cd "$ROOT"
export TRUEUP_TEST_POSTGRES="postgres://trueup@localhost/postgres?host=${HOUSE//\//%2F}"
export PATH="$BIN:$PATH"
"$@"
