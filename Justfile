# Run with ./justw, which brings its own `just` where there is none.
set shell := ["bash", "-euo", "pipefail", "-c"]

# list the recipes
default:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list --unsorted

# build everything and serve the demo on http://127.0.0.1:8787
demo *flags:
    @scripts/demo.sh {{ flags }}

# install what is missing, build, and run every test
test *suites:
    @scripts/test.sh {{ suites }}

# tell one seed of the simulator (sim 42), or search for a wrong number (sim --for 60s)
sim *arguments:
    @scripts/sim.sh {{ arguments }}

# switch on every planted bug until the simulator's auditor has found it
planted *flags:
    @scripts/sim.sh planted {{ flags }}

# the client that ships and six other designs on the same simulated traffic: who shows wrong numbers
compare *flags:
    @scripts/sim.sh compare {{ flags }}

# measure the server beside pgbench and the usual way; or `bench race`, `crash`, `replicas`, `streams`
bench *arguments:
    @scripts/bench.sh {{ arguments }}

# what continuous integration runs: all checks, then all tests
ci:
    @scripts/ci.sh

# all checks that need no running program: format, lints, licences, generated files
check:
    @scripts/check.sh

# build the wasm module, the npm package and the demo page
build:
    @scripts/web.sh

# build only the wasm module that browsers load
wasm:
    @scripts/wasm.sh build

# bytes that a page pays for the package, against the limit
size:
    @scripts/web.sh package
    @node scripts/size.mjs

# explore every interleaving of a small world; flags say how much may happen (--help lists them)
model *flags:
    @scripts/model.sh {{ flags }}

# plant every small fault in the core, one at a time, and tell which its tests do not find; about an hour
mutants *flags:
    @scripts/mutants.sh {{ flags }}

# rewrite the files made from others: OpenAPI document, TypeScript types
generate:
    @scripts/generate.sh write

# resolve package-lock.json anew, after a dependency was added
lock:
    @scripts/lock.sh

# format Rust, TypeScript and JSON
fmt:
    @scripts/fmt.sh write

# renew the README's picture of the demo, which the browser tests make
picture:
    @TRUEUP_PICTURE={{ quote(justfile_directory() / "docs/demo.png") }} scripts/suite.sh e2e

# remove what was built (tools are kept)
clean:
    @scripts/clean.sh
