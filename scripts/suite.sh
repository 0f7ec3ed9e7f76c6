#!/usr/bin/env bash
# Runs one suite of tests, after building what it needs: scripts/suite.sh rust | shows | sim | wasm | module | web | size | packaging | clients | e2e
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Plain text, so that the counts can be read off the log.
export NO_COLOR=1 FORCE_COLOR=0 CARGO_TERM_COLOR=never

# use_browser: puts CHROMIUM and CHROMEDRIVER into the environment.
use_browser() {
  local browser
  browser="$(scripts/chromium.sh env)"
  eval "$browser"
  export CHROMIUM CHROMEDRIVER
}

# use_server: the server that the browser tests talk to, with the demo page inside.
use_server() {
  scripts/web.sh demo
  step "building the server for the tests" \
    cargo build ${CI:+--locked} --package trueup-server --features demo
  export TRUEUP_BIN="$ROOT/target/debug/trueup"
}

case "${1:-}" in
  rust)
    scripts/web.sh demo
    scripts/tools.sh nats-server
    TRUEUP_TEST_NATS="$(command -v nats-server || echo /usr/sbin/nats-server)"
    export TRUEUP_TEST_NATS
    step "testing the native crates: core, protocol, server, on SQLite" \
      scripts/postgres.sh cargo test ${CI:+--locked} --no-fail-fast --features trueup-server/demo
    TRUEUP_TEST_STORE=postgres step "testing the server once more, on Postgres" \
      scripts/postgres.sh cargo test ${CI:+--locked} --no-fail-fast --package trueup-server \
      --features demo --test api --test gateway --test ledger
    ;;
  shows)
    scripts/web.sh demo
    step "building the server for the shows" \
      cargo build ${CI:+--locked} --package trueup-server --features trueup-server/demo
    step "racing for a limit, killing the server under load, cutting replicas off from their database" \
      cargo test ${CI:+--locked} --no-fail-fast --package trueup-bench
    ;;
  sim)
    step "testing the simulator itself" \
      cargo test ${CI:+--locked} --no-fail-fast --package trueup-sim --profile sim
    step "searching the same 10,000 seeds as always for a wrong number" scripts/sim.sh --seeds 10000
    # A search: other seeds every time. What it finds is replayed by the seed that it prints.
    seed="$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')"
    step "searching other seeds, from $seed on" scripts/sim.sh --for 15s --from "$seed"
    step "finding every planted bug" scripts/sim.sh planted
    ;;
  wasm) step "testing the module in headless Chromium" scripts/wasm.sh test ;;
  module)
    scripts/web.sh package
    step "building the simulator" cargo build ${CI:+--locked} --package trueup-sim --profile sim
    step "telling the module that ships what 1,000 seeds tell: it must do what the native client does" \
      scripts/module.sh 1000
    ;;
  web)
    scripts/web.sh demo
    step "testing the npm package, and the parts of the demo page" \
      npm test --workspace web/packages/trueup --workspace web/demo
    ;;
  size)
    scripts/web.sh package
    step "measuring what a page pays for the package" node scripts/size.mjs
    ;;
  packaging)
    scripts/web.sh package
    step "installing the packed package as a reader would" npm test --workspace tests/packaging
    ;;
  clients)
    use_server
    step "talking to the gateway with the openai client and the AI SDK" npm test --workspace tests/clients
    ;;
  e2e)
    use_server
    use_browser
    export TRUEUP_PICTURE="${TRUEUP_PICTURE:-$ROOT/target/demo.png}"
    step "testing the demo in Chromium against the real server" npm test --workspace tests/e2e
    ;;
  *) die "usage: scripts/suite.sh rust | shows | sim | wasm | module | web | size | packaging | clients | e2e" ;;
esac
