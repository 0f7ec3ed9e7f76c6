#!/usr/bin/env bash
# What the dependencies may be: licences, sources, bans, and known vulnerabilities where their list can be fetched.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cargo deny --log-level error check bans licenses sources
if cargo deny --log-level error fetch db >/dev/null 2>&1; then
  cargo deny --log-level error check advisories
else
  say "the list of known vulnerabilities cannot be reached from here: advisories were not checked"
fi
