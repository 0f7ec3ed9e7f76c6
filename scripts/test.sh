#!/usr/bin/env bash
# Runs every suite, or those named, one after the other, and ends with "N passed, N failed".
# All suites run even when one fails; the exit status tells whether all were green.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SUITES=("$@")
if [ "${#SUITES[@]}" -eq 0 ]; then SUITES=(rust shows sim wasm module web size packaging clients e2e); fi

# Built once here, so that the suites need not look again.
if ! scripts/web.sh demo; then
  printf '\n0 passed, 1 failed\n'
  exit 1
fi
export TRUEUP_WEB_IS_BUILT=yes

mkdir -p "$LOGS"
rows=() passed=0 failed=0
for suite in "${SUITES[@]}"; do
  started=$SECONDS
  status=0
  scripts/suite.sh "$suite" 2>&1 | tee "$LOGS/$suite.log" || status=$?
  read -r good bad < <(scripts/count.sh "$LOGS/$suite.log")
  # A suite that broke before it could count, or that ran nothing, is a failure as well.
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  rows+=("$(printf '%-10s %7d %7d %6ds' "$suite" "$good" "$bad" "$((SECONDS - started))")")
done

printf '\n%-10s %7s %7s %7s\n' suite passed failed time
printf '%s\n' "${rows[@]}"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
