#!/usr/bin/env bash
# The module that ships beside the native client, on the simulator's seeds: scripts/module.sh SEEDS [FROM]
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seeds="${1:?how many seeds}" from="${2:-0}"

# compare SEEDS FROM: the native client's steps, told to the module.
compare() {
  "$ROOT/target/sim/trueup-sim" script --seeds "$1" --from "$2" | node "$ROOT/tests/module/replay.mjs"
}

# The package has its bindings inside a bundle; here they are needed by themselves.
node --input-type=module -e 'import { writeGlue } from "./web/packages/trueup/build/glue.js"; writeGlue();'
half=$((seeds / 2))
second="$(mktemp)"
trap 'rm -f "$second"' EXIT
status=0
compare "$((seeds - half))" "$((from + half))" >"$second" 2>&1 &
{ [ "$half" -eq 0 ] || compare "$half" "$from"; } || status=1
wait $! || status=1
cat "$second"
exit "$status"
