#!/usr/bin/env bash
# Files that are made from others and committed, so that a change of the API shows in review: scripts/generate.sh check | write
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The API as the server describes it, and the TypeScript types that follow from it.
DOCUMENT=openapi.json
TYPES=web/packages/trueup/src/generated/openapi.ts

make_document() { cargo run --quiet ${CI:+--locked} --package trueup-server --bin trueup -- openapi >"$1"; }

make_types() {
  mkdir -p "$(dirname "$2")"
  openapi-typescript "$1" --output "$2" --immutable --alphabetize >/dev/null
}

# same COMMITTED MADE: fails with the difference when the two are not alike.
same() {
  diff -u "$1" "$2" || die "$1 is not what the code generates; run './justw generate' and commit it"
}

check() {
  local fresh
  fresh="$(mktemp -d)"
  # shellcheck disable=SC2064 # the folder is known now, and local
  trap "rm -rf '$fresh'" EXIT
  make_document "$fresh/openapi.json"
  same "$DOCUMENT" "$fresh/openapi.json"
  make_types "$DOCUMENT" "$fresh/openapi.ts"
  same "$TYPES" "$fresh/openapi.ts"
}

write() {
  make_document "$DOCUMENT.new"
  mv "$DOCUMENT.new" "$DOCUMENT"
  make_types "$DOCUMENT" "$TYPES"
}

scripts/web.sh npm
case "${1:-check}" in
  check) step "checking that $DOCUMENT and $TYPES are what the code generates" check ;;
  write) step "writing $DOCUMENT and $TYPES" write ;;
  *) die "usage: scripts/generate.sh check | write" ;;
esac
