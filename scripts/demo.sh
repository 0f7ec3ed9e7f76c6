#!/usr/bin/env bash
# Builds everything and serves the demo. TRUEUP_LISTEN names another address; flags go to `trueup serve`.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LISTEN="${TRUEUP_LISTEN:-127.0.0.1:8787}"
DATA=target/demo

have cargo || die "cargo is missing; install Rust with rustup and run this again"
scripts/web.sh demo
# As the tests build it: in half the time of an optimized one, and more than fast enough for one reader.
step "building the server, with the demo page inside" \
  cargo build ${CI:+--locked} --package trueup-server --features demo

mkdir -p "$DATA"
printf '\n==> serving the demo on http://%s (its database is in %s; stop with Ctrl-C)\n' "$LISTEN" "$DATA"
exec target/debug/trueup serve --demo --config trueup.toml --listen "$LISTEN" \
  --database-url "sqlite:$DATA/trueup.db" "$@"
