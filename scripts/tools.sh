#!/usr/bin/env bash
# Makes sure that a tool of the right version is there: scripts/tools.sh wasm-bindgen | cargo-deny | cargo-mutants | shellcheck | nats-server
# What is on PATH is used when its version fits; what has to be built goes to the tools folder, once.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CARGO_DENY_VERSION=0.20.2
CARGO_MUTANTS_VERSION=27.1.0

# cargo_tool PACKAGE VERSION [FLAG...]: builds a tool from crates.io into the tools folder.
# It gets a target folder of its own, kept, so that an interrupted build goes on where it stopped;
# and it is not optimized: what that costs is more than what the tool then saves.
cargo_tool() {
  local package="$1" version="$2"
  shift 2
  CARGO_TARGET_DIR="$TOOLS/build" cargo install "$package" --version "=$version" --root "$TOOLS" --debug --force "$@" ||
    die "$package $version could not be built; install it with 'cargo install $package --version $version' and run this again"
  rm -rf "$TOOLS/build"
}

# The command must have exactly the version of the crate, or its output does not fit the module.
ensure_wasm_bindgen() {
  local wanted
  wanted="$(locked_version wasm-bindgen)"
  [ -n "$wanted" ] || die "Cargo.lock names no wasm-bindgen; run 'cargo generate-lockfile' first"
  if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $wanted" ] && have wasm-bindgen-test-runner; then
    return
  fi
  # Not --locked: the lock file that the package ships asks for versions that a registry mirror may not have yet.
  step "building wasm-bindgen-cli $wanted, because its version must equal the crate's (once, some minutes)" \
    cargo_tool wasm-bindgen-cli "$wanted"
}

ensure_cargo_deny() {
  cargo deny --version >/dev/null 2>&1 && return
  step "building cargo-deny $CARGO_DENY_VERSION, which checks licences and sources of dependencies (once, some minutes)" \
    cargo_tool cargo-deny "$CARGO_DENY_VERSION" --locked
}

ensure_cargo_mutants() {
  cargo mutants --version >/dev/null 2>&1 && return
  step "building cargo-mutants $CARGO_MUTANTS_VERSION, which plants faults for tests to find (once, some minutes)" \
    cargo_tool cargo-mutants "$CARGO_MUTANTS_VERSION" --locked
}

ensure_shellcheck() {
  have shellcheck && return
  apt_install shellcheck || die "shellcheck is missing; install it from your system's packages and run this again"
}

# Debian keeps it out of the PATH of whoever is not root.
ensure_nats_server() {
  if have nats-server || [ -x /usr/sbin/nats-server ]; then return; fi
  apt_install nats-server || die "nats-server is missing; install it from your system's packages and run this again"
}

case "${1:-}" in
  wasm-bindgen) ensure_wasm_bindgen ;;
  cargo-deny) ensure_cargo_deny ;;
  cargo-mutants) ensure_cargo_mutants ;;
  shellcheck) ensure_shellcheck ;;
  nats-server) ensure_nats_server ;;
  *) die "usage: scripts/tools.sh wasm-bindgen | cargo-deny | cargo-mutants | shellcheck | nats-server" ;;
esac
