#!/usr/bin/env bash
# Formatting of Rust, TypeScript, CSS and JSON: scripts/fmt.sh check | write
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-check}" in
  check)
    step "checking the format of Rust code" cargo fmt --all --check
    scripts/web.sh npm
    step "checking format and lints of TypeScript, CSS and JSON" biome check --error-on-warnings
    ;;
  write)
    step "formatting Rust code" cargo fmt --all
    scripts/web.sh npm
    step "formatting TypeScript, CSS and JSON" biome check --write
    ;;
  *) die "usage: scripts/fmt.sh check | write" ;;
esac
