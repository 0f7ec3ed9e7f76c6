# Chooses the compiler for wasm32-unknown-unknown. Sourced after lib.sh.
# Sets WASM_COMPILER to `rustup` or `debian`, and defines wasm_cargo, which is cargo with that choice.
# shellcheck shell=bash

WASM_TARGET=wasm32-unknown-unknown
# A folder of its own: the two compilers differ, and must not undo each other's work.
WASM_TARGET_DIR="$ROOT/target/wasm"

# The target, and the sources of the standard library: the module gets one that is built for size.
rustup_is_ready() {
  local libraries
  libraries="$(rustc --print sysroot 2>/dev/null)/lib/rustlib"
  [ -d "$libraries/$WASM_TARGET/lib" ] && [ -f "$libraries/src/rust/library/Cargo.lock" ]
}

install_with_rustup() {
  have rustup || return 1
  say "installing the target $WASM_TARGET and the sources of the standard library with rustup"
  rustup target add "$WASM_TARGET" && rustup component add rust-src
}

# Debian's compiler for browsers. It has no compiled standard library for the target, only sources.
debian_is_ready() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -n "$(debian_linker)" ] &&
    [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]
}

debian_linker() { find /usr/bin -name 'wasm-ld-*' 2>/dev/null | sort -V | tail -n 1; }

# Debian names its linker packages by version, and newer releases have newer ones.
debian_linker_package() {
  apt-cache search --names-only '^lld-[0-9]+$' 2>/dev/null | cut -d' ' -f1 | sort -V | tail -n 1
}

install_with_apt() {
  have apt-get || return 1
  say "rustup cannot fetch the target: trying Debian's compiler for browsers"
  local linker
  linker="$(debian_linker_package)"
  if [ -z "$linker" ]; then
    as_root apt-get update >/dev/null 2>&1 || return 1
    linker="$(debian_linker_package)"
  fi
  apt_install rustc-web cargo-web rust-web-src "${linker:-lld}"
}

choose_wasm_compiler() {
  if rustup_is_ready; then
    WASM_COMPILER=rustup
  elif debian_is_ready; then
    WASM_COMPILER=debian
  elif install_with_rustup && rustup_is_ready; then
    WASM_COMPILER=rustup
  elif install_with_apt && debian_is_ready; then
    WASM_COMPILER=debian
  else
    die "there is no Rust compiler for $WASM_TARGET; run 'rustup target add $WASM_TARGET' and 'rustup component add rust-src', and start this again"
  fi
}

# wasm_cargo COMMAND...: cargo for wasm. WASM_FLAGS are flags for rustc. WASM_STD_FEATURES, when
# set, asks for a standard library that is built along, with these features; that is an unstable
# option, which a stable compiler takes when RUSTC_BOOTSTRAP is set.
wasm_cargo() {
  local cargo=cargo command="$1"
  shift
  # RUSTFLAGS would win over the flags for this target, and a native build has other ones.
  local env=(-u RUSTFLAGS RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$WASM_TARGET_DIR"
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="${WASM_FLAGS:-}")
  if [ "$WASM_COMPILER" = debian ]; then
    cargo=/usr/bin/cargo
    env+=(RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(debian_linker)")
  fi
  if [ "$WASM_COMPILER" = debian ] || [ -n "${WASM_STD_FEATURES:-}" ]; then
    set -- -Zbuild-std=std,panic_abort -Zbuild-std-features="${WASM_STD_FEATURES:-}" "$@"
  fi
  env "${env[@]}" "$cargo" "$command" ${CI:+--locked} --target "$WASM_TARGET" "$@"
}
