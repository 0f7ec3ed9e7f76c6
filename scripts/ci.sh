#!/usr/bin/env bash
# What has to hold before a change lands: every check, then the command the README gives for the tests.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/check.sh
./justw test
