#!/usr/bin/env bash
# Reads test logs and prints "PASSED FAILED", summed over the closing lines of every runner used here:
# cargo and wasm-bindgen ("test result: …"), vitest ("Tests  …"), Playwright ("  3 passed (5s)"), node ("ℹ pass 3"),
# and our own checks ("size: 1 passed, 0 failed").
set -euo pipefail

cat "$@" | awk '
  # number_before(WORD): the number that stands before WORD in the line, or 0.
  function number_before(word,   place, words) {
    place = match($0, "[0-9]+ " word)
    if (!place) return 0
    split(substr($0, place), words, " ")
    return words[1]
  }
  # Colours, in case a runner insists on them.
  { gsub(/\033\[[0-9;]*m/, "") }
  /^test result: / || /^[a-z]+: [0-9]+ passed, [0-9]+ failed$/ || /^ *Tests  / {
    passed += number_before("passed"); failed += number_before("failed"); next
  }
  /^ +[0-9]+ passed( \(.*\))?$/ { passed += $1; next }
  # A test that passed only when tried again has not passed.
  /^ +[0-9]+ (failed|flaky|interrupted|did not run)$/ { failed += $1; next }
  /^(ℹ|#) pass [0-9]+$/ { passed += $3; next }
  /^(ℹ|#) fail [0-9]+$/ { failed += $3; next }
  END { print passed + 0, failed + 0 }
'
