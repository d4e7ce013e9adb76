#!/usr/bin/env bash
# Configures and builds one preset.   usage: .ci/build.sh dev|tsan|cov|rel [cmake --build options]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?preset: dev, tsan, cov or rel}; shift
log=build/$preset.log; mkdir -p build
if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$(nproc)" "$@"; } >"$log" 2>&1; then
    grep -E 'error|warning|FAILED|CMake Error' "$log" | head -40 >&2
    echo "build of preset $preset failed: see $log" >&2
    exit 1
fi
