#!/usr/bin/env bash
# Benchmarks and shows: scripts/bench.sh [run flags] | race [flags] | crash [flags] | replicas [flags] | streams [flags]
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  run | race | crash | replicas | streams) ;;
  -* | "") set -- run "$@" ;;
  *) die "usage: scripts/bench.sh [run flags] | race [flags] | crash [flags] | replicas [flags] | streams [flags]" ;;
esac

RIVALS=crates/trueup-bench/rivals
if [ "$1" = run ]; then
  wanted="$(fingerprint "$RIVALS/package-lock.json")"
  if [ ! -d "$RIVALS/node_modules" ] || ! stamp_matches rivals "$wanted"; then
    step "installing what is measured against: fastify, pg, rate-limiter-flexible" \
      npm ci --prefix "$RIVALS" --no-audit --no-fund --loglevel=error
    stamp rivals "$wanted"
  fi
fi
step "building the server and its benchmarks, as they ship" \
  cargo build ${CI:+--locked} --release --package trueup-server --package trueup-bench
# The race has thousands of connections.
ulimit -n "$(ulimit -Hn)"
exec "$ROOT/target/release/trueup-bench" "$@"
