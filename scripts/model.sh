#!/usr/bin/env bash
# Explores every interleaving of a small world: scripts/model.sh, or scripts/model.sh FLAGS for another
# one (--help lists them). Without flags: the one without push, and a smaller one with it, since
# every unasked snapshot multiplies the states.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "building the model" cargo build ${CI:+--locked} --release --package trueup-model
model="$ROOT/target/release/trueup-model"
if (($#)); then
  exec "$model" "$@"
fi
step "exploring two pages, three operations, and everything that may go wrong but push" "$model"
step "exploring the same with push and reordering, and nothing else that goes wrong" \
  "$model" --losses 0 --doubles 0 --reloads 0 --timers 0 --pushes 1 --heal-one-in 4
