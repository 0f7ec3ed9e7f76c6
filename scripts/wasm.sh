#!/usr/bin/env bash
# The module that browsers load: scripts/wasm.sh build | check | test
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/wasm-compiler.sh
source "$ROOT/scripts/wasm-compiler.sh"

CRATE=trueup-wasm
OUT=web/packages/trueup/src/wasm

# Panics in the module become a bare trap: nobody can catch one in wasm, and the text and
# formatting code that a message needs would be a third of the module. So neither Debug output nor
# the place of a panic has a reader. Nor does the compiler inline on its own before LLVM does, which knows that the
# module is to be small.
compile() {
  WASM_FLAGS="-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none -Zinline-mir=no" \
    WASM_STD_FEATURES=optimize_for_size \
    wasm_cargo build --package "$CRATE" --lib --profile wasm
}

bind() {
  rm -rf "$OUT"
  wasm-bindgen --target web --keep-debug --out-dir "$OUT" --remove-producers-section "$1"
  # After wasm-bindgen, because it reads the section of target features that this strips. Little is
  # inlined, and functions stand in the order of their names, so that like ones are near each other:
  # what a page pays for is the compressed size. Compilers of Rust put the stack first, so nothing
  # lives in the first kilobyte, and a division or a load that could trap is preceded by its check.
  wasm-opt -O2 --low-memory-unused --ignore-implicit-traps --converge --one-caller-inline-max-function-size=20 --always-inline-max-function-size=5 \
    --reorder-functions-by-name \
    --strip-debug --strip-producers --strip-target-features \
    "$OUT/trueup_wasm_bg.wasm" -o "$OUT/trueup_wasm_bg.wasm"
}

build() {
  step "compiling $CRATE for browsers ($WASM_COMPILER compiler)" compile
  local module="$WASM_TARGET_DIR/$WASM_TARGET/wasm/${CRATE//-/_}.wasm" input
  input="$(fingerprint "$module" scripts/wasm.sh Cargo.lock package-lock.json)"
  if [ -f "$OUT/trueup_wasm_bg.wasm" ] && stamp_matches wasm "$input"; then
    say "the module in $OUT is up to date"
    return
  fi
  scripts/tools.sh wasm-bindgen
  scripts/web.sh npm
  step "writing the JavaScript bindings and shrinking the module into $OUT" bind "$module"
  stamp wasm "$input"
  say "$(wc -c <"$OUT/trueup_wasm_bg.wasm") bytes of wasm"
}

# With rustup's compiler clippy knows the target too. Debian's comes without clippy, so there the
# build of the tests refuses warnings; the tests then run what was built.
check() {
  if [ "$WASM_COMPILER" = rustup ]; then
    wasm_cargo clippy --package "$CRATE" --all-targets -- -D warnings
  else
    CARGO_BUILD_WARNINGS=deny CARGO_UNSTABLE_WARNINGS=true \
      wasm_cargo test --package "$CRATE" --no-run
  fi
}

run_tests() {
  local browser
  browser="$(scripts/chromium.sh env)"
  eval "$browser"
  export CHROMEDRIVER
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner WASM_BINDGEN_TEST_TIMEOUT=120 \
    wasm_cargo test --package "$CRATE"
}

choose_wasm_compiler
case "${1:-build}" in
  build) build ;;
  check) check ;;
  test)
    scripts/tools.sh wasm-bindgen
    run_tests
    ;;
  *) die "usage: scripts/wasm.sh build | check | test" ;;
esac
