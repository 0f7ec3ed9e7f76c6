# Chooses the compiler for wasm32-unknown-unknown. Sourced after lib.sh.
# Sets WASM_COMPILER to `rustup` or `debian`, and defines wasm_cargo, which is cargo with that choice.
# shellcheck shell=bash

WASM_TARGET=wasm32-unknown-unknown
# A folder of its own: the two compilers differ, and must not undo each other's work.
WASM_TARGET_DIR="$ROOT/target/wasm"

rustup_has_target() { [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$WASM_TARGET/lib" ]; }

# Debian's compiler for browsers, with the sources from which the standard library is built.
debian_has_compiler() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -n "$(debian_linker)" ] &&
    [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src" ]
}

debian_linker() { find /usr/bin -name 'wasm-ld-*' 2>/dev/null | sort -V | tail -n 1; }

# Debian names its linker packages by version, and newer releases have newer ones.
debian_linker_package() { apt-cache search --names-only '^lld-[0-9]+$' 2>/dev/null | cut -d' ' -f1 | sort -V | tail -n 1; }

install_debian_compiler() {
  have apt-get || return 1
  local linker
  linker="$(debian_linker_package)"
  if [ -z "$linker" ]; then
    as_root apt-get update >/dev/null 2>&1 || return 1
    linker="$(debian_linker_package)"
  fi
  apt_install rustc-web cargo-web rust-web-src "${linker:-lld}"
}

choose_wasm_compiler() {
  if rustup_has_target; then
    WASM_COMPILER=rustup
  elif debian_has_compiler; then
    WASM_COMPILER=debian
  elif say "installing the $WASM_TARGET target with rustup" && rustup target add "$WASM_TARGET"; then
    WASM_COMPILER=rustup
  elif say "rustup cannot fetch the target: trying Debian's compiler" && install_debian_compiler && debian_has_compiler; then
    WASM_COMPILER=debian
  else
    die "there is no Rust compiler for $WASM_TARGET; run 'rustup target add $WASM_TARGET' and start this again"
  fi
}

# wasm_cargo FLAGS COMMAND...: cargo for wasm, with FLAGS for rustc. Here as elsewhere,
# continuous integration takes the committed lock file as it is.
# Debian ships no compiled standard library for the target, so it is built along, once.
wasm_cargo() {
  local flags="$1" command="$2"
  shift 2
  # RUSTFLAGS would win over the flags for this target, and a native build has other ones.
  local env=(-u RUSTFLAGS CARGO_TARGET_DIR="$WASM_TARGET_DIR" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags")
  if [ "$WASM_COMPILER" = debian ]; then
    env+=(
      RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(debian_linker)"
    )
    env "${env[@]}" /usr/bin/cargo "$command" ${CI:+--locked} --target "$WASM_TARGET" \
      -Zbuild-std=std,panic_abort -Zbuild-std-features="${WASM_STD_FEATURES:-}" "$@"
  else
    env "${env[@]}" cargo "$command" ${CI:+--locked} --target "$WASM_TARGET" "$@"
  fi
}
