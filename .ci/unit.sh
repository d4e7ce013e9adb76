#!/usr/bin/env bash
# Runs every cmocka program of one preset, each in its own process, and prints a line per test.
#   usage: .ci/unit.sh [PRESET [NAME-PATTERN]]
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev} pattern=${2:-}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
failed=0
for program in build/"$preset"/tests/test_*; do
    [ -x "$program" ] || continue
    name=${program##*/}
    case $name in *"$pattern"*) ;; *) continue ;; esac
    out=$(timeout 120 "$program" 2>&1); rc=$?
    grep -E '^\[ +(OK|FAILED|SKIPPED) +\] ' <<<"$out" | sort -u |
        sed -E "s/^\[ +OK +\] (.*)/PASS $name \1/; s/^\[ +FAILED +\] (.*)/FAIL $name \1/; s/^\[ +SKIPPED +\] (.*)/SKIP $name \1/"
    if [ $rc -ne 0 ]; then
        failed=1
        grep -qE '^\[ +FAILED' <<<"$out" || echo "FAIL $name exit $rc"
        sed 's/^/    /' <<<"$out" | tail -60 >&2
        echo "    again: build/$preset/tests/$name" >&2
    fi
done
exit $failed
