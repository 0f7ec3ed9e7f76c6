#!/usr/bin/env bash
# The simulator: scripts/sim.sh SEED [--profile NAME] | planted [flags] | compare [flags] | [--for 60s | --seeds N] [--from SEED]
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  planted | compare) ;;
  [0-9]*) set -- replay "$@" ;;
  -* | "") set -- run "$@" ;;
  *) die "usage: scripts/sim.sh SEED | planted | compare | [--for 60s | --seeds N] [--from SEED]" ;;
esac

# Told on the other stream, so that a history can be piped on.
step "building the simulator" \
  cargo build ${CI:+--locked} --package trueup-sim --profile sim >&2
exec "$ROOT/target/sim/trueup-sim" "$@"
