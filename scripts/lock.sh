#!/usr/bin/env bash
# Resolves package-lock.json anew from the manifests. In a folder of its own, because npm, when it finds installed
# packages, leaves out of the lock file what other systems need.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

resolve() {
  local folder manifest
  folder="$(mktemp -d)"
  # shellcheck disable=SC2064 # the folder is known now, and local
  trap "rm -rf '$folder'" EXIT
  for manifest in package.json .npmrc web/packages/*/package.json web/demo/package.json tests/*/package.json; do
    [ -f "$manifest" ] || continue
    mkdir -p "$folder/$(dirname "$manifest")"
    cp "$manifest" "$folder/$manifest"
  done
  (
    cd "$folder"
    npm install --package-lock-only --no-audit --no-fund --loglevel=error
    npm ci --dry-run --no-audit --no-fund --loglevel=error >/dev/null
  )
  cp "$folder/package-lock.json" package-lock.json
}

step "resolving package-lock.json anew from the manifests" resolve
