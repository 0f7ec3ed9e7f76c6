#!/usr/bin/env bash
# Mutation tests of the core: scripts/mutants.sh [flags of cargo-mutants]
# Only the core's own tests count. What no test can find, and why, is in .cargo/mutants.toml.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Nobody reads the shortest history that finds a planted fault.
export PROPTEST_MAX_SHRINK_TIME=1

plant() {
  local status=0
  mkdir -p target
  cargo mutants --package trueup-core --output target "$@" || status=$?
  # 3 says that a fault made tests run for ever: it was found, too.
  if [ "$status" -eq 3 ] && [ ! -s target/mutants.out/missed.txt ]; then status=0; fi
  return "$status"
}

scripts/tools.sh cargo-mutants
step "planting faults in the core, one at a time, and running its tests on each (results: target/mutants.out)" plant "$@"
