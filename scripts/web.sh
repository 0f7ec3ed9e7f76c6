#!/usr/bin/env bash
# The JavaScript side: scripts/web.sh [npm | package | demo]; each builds what it needs first, and nothing twice.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGE=web/packages/trueup
DEMO=web/demo

module_input() { fingerprint package.json package-lock.json web/packages/*/package.json web/demo/package.json tests/*/package.json; }

# What `engines` in package.json says, which is what the tools for tests and builds support.
node_fits() {
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    const least = { 20: 19, 22: 13 }[major] ?? (major >= 24 ? 0 : Infinity);
    process.exit(minor >= least ? 0 : 1)'
}

# While somebody works on the manifests, npm mends the lock file; in continuous integration it must fit.
# Errors only: on Node 20 npm warns of clients that support newer ones, with which the tests pass all the same.
npm_install() {
  local flags=(--no-audit --no-fund --loglevel=error)
  if [ -z "${CI:-}" ]; then
    npm install "${flags[@]}"
  else
    npm ci "${flags[@]}" || die "package-lock.json does not fit the manifests; run './justw lock' and commit it"
  fi
}

install_modules() {
  have npm || die "npm is missing; install Node 24, which brings it, and run this again"
  node_fits || die "Node $(node --version) is not supported; install Node 20.19, 22.13, 24 or newer and run this again"
  local input
  input="$(module_input)"
  if [ -d node_modules ] && stamp_matches npm "$input"; then
    return
  fi
  step "installing the JavaScript packages that package-lock.json names" npm_install
  input="$(module_input)"
  stamp npm "$input"
}

# rebuild NAME FOLDER "why" INPUT...: runs the build of a workspace when its input has changed.
rebuild() {
  local name="$1" folder="$2" why="$3" input
  shift 3
  input="$(fingerprint "$folder" package-lock.json "$@")"
  if [ -d "$folder/dist" ] && stamp_matches "$name" "$input"; then
    say "$folder/dist is up to date"
    return
  fi
  step "$why" npm run build --workspace "$folder"
  stamp "$name" "$input"
}

build_package() {
  scripts/wasm.sh build
  rebuild package "$PACKAGE" "building the npm package, with the module inside"
}

build_demo() {
  build_package
  rebuild demo "$DEMO" "building the demo page that the server carries" "$PACKAGE/dist"
}

# Set by scripts/test.sh for its suites.
if [ -n "${TRUEUP_WEB_IS_BUILT:-}" ]; then exit 0; fi

install_modules
case "${1:-demo}" in
  npm) ;;
  package) build_package ;;
  demo) build_demo ;;
  *) die "usage: scripts/web.sh npm | package | demo" ;;
esac
