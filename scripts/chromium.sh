#!/usr/bin/env bash
# Finds Chromium and its driver, or installs them: `scripts/chromium.sh env` prints CHROMIUM=… and CHROMEDRIVER=…
# for a shell to evaluate. Everything else goes to standard error. Set the two variables to choose a browser.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# first_of NAME...: the path of the first command that is there.
first_of() {
  local name
  for name in "$@"; do
    if have "$name"; then
      command -v "$name"
      return
    fi
  done
}

find_browser() {
  CHROMIUM="${CHROMIUM:-$(first_of chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")}"
  CHROMEDRIVER="${CHROMEDRIVER:-$(first_of chromedriver /usr/lib/chromium-browser/chromedriver)}"
  [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ]
}

install_browser() {
  printf '\n==> installing Chromium and its driver, in which the tests of the browser side run\n'
  apt_install chromium chromium-driver
}

[ "${1:-env}" = env ] || die "usage: scripts/chromium.sh env"
find_browser || { install_browser >&2 && find_browser; } ||
  die "the tests need Chromium (or Chrome) and chromedriver of the same version; install both, or set CHROMIUM and CHROMEDRIVER to where they are"
printf 'CHROMIUM=%q\nCHROMEDRIVER=%q\n' "$CHROMIUM" "$CHROMEDRIVER"
