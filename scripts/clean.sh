#!/usr/bin/env bash
# Removes everything that a build made; tools and browsers stay.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "removing build output" rm -rf target node_modules web/packages/*/node_modules web/packages/*/dist \
  web/packages/trueup/src/wasm web/demo/node_modules web/demo/dist tests/*/node_modules test-results
