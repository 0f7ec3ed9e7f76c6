#!/usr/bin/env bash
# Mutation tests of the core: scripts/mutants.sh [flags of cargo-mutants]
# Only the core's own tests count. What no test can find, and why, is in .cargo/mutants.toml.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/tools.sh cargo-mutants
mkdir -p target
step "planting faults in the core, one at a time, and running its tests on each (results: target/mutants.out)" \
  cargo mutants --package trueup-core --output target "$@"
