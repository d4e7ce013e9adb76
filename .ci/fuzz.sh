#!/usr/bin/env bash
# Replays each fuzz target's corpus with a gcc sanitizer build.   usage: .ci/fuzz.sh [PRESET]
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev} failed=0
for program in build/"$preset"/fuzz/fuzz_*; do
    [ -x "$program" ] || continue
    name=${program##*/} corpus=tests/fuzz/corpus/${program##*/fuzz_}
    mapfile -t inputs < <(find "$corpus" -type f 2>/dev/null | sort)
    if [ ${#inputs[@]} -eq 0 ]; then echo "FAIL $name has no corpus in $corpus"; failed=1; continue; fi
    if timeout 120 "$program" "${inputs[@]}" >build/fuzz.out 2>&1; then
        echo "PASS $name ${#inputs[@]} inputs"
    else
        echo "FAIL $name"; tail -30 build/fuzz.out >&2; failed=1
    fi
done
exit $failed
