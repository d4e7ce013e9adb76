#!/usr/bin/env bash
# Thread sanitizer on the tests of the libraries with threads: lanes, log, store lane, probes.
set -uo pipefail
cd "$(dirname "$0")/.."
cmake --preset tsan >build/tsan.log 2>&1 || { echo "FAIL tsan configure"; exit 1; }
failed=0
for source in tests/unit/base/io/test_lane*.c tests/unit/controller/keep/test_store*.c \
              tests/unit/probes/test_probe_set*.c; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .c)
    cmake --build --preset tsan -j "$(nproc)" --target "$name" >>build/tsan.log 2>&1 ||
        { echo "FAIL tsan $name does not build"; failed=1; continue; }
    if TSAN_OPTIONS=halt_on_error=1 timeout 120 build/tsan/tests/"$name" >build/tsan.out 2>&1; then
        echo "PASS tsan $name"
    else
        echo "FAIL tsan $name"; tail -40 build/tsan.out >&2; failed=1
    fi
done
exit $failed
