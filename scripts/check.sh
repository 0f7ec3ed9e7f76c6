#!/usr/bin/env bash
# Every check that runs no test: what is cheap first, so that a slip is told early.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/fmt.sh check

scripts/tools.sh shellcheck
step "linting the shell scripts" shellcheck --external-sources justw .ci/run scripts/*.sh

scripts/tools.sh cargo-deny
step "checking licences, sources and duplicates of the Rust dependencies" scripts/deny.sh

scripts/web.sh demo
step "checking the types of the TypeScript workspaces" npm run typecheck --workspaces --if-present
step "linting the Rust code, natively" \
  cargo clippy ${CI:+--locked} --workspace --all-targets --all-features -- -D warnings
step "checking the wasm crate for its own target" scripts/wasm.sh check

scripts/generate.sh check
