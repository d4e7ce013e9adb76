#!/usr/bin/env bash
# Simulated failovers. Without options: 20,000 seeds of the release build and each mutant's killers.
#   usage: .ci/simulation.sh [--long] [--seeds N] [--from SEED] [--mutants]
set -uo pipefail
cd "$(dirname "$0")/.."
bin=build/rel/bin failed=0 long= args=() mutants=
while [ $# -gt 0 ]; do
    case $1 in --long) long=1 ;; --mutants) mutants=1 ;; *) args+=("$1") ;; esac
    shift
done
seeds() { # seeds ARGS: one clean sweep with the reach table
    if "$bin/simulation" "$@" --reach >build/simulation.out 2>&1; then
        tail -n 60 build/simulation.out; echo "PASS simulation $*"
    else
        tail -n 80 build/simulation.out; echo "FAIL simulation $*"; failed=1
    fi
}
mutants() { # each mutant must be caught: its line says CAUGHT
    "$bin/simulation-mutants" --mutants "$@" >build/mutants.out 2>&1; local rc=$?
    sed -nE 's/^CAUGHT (.*)/PASS mutant \1/p; s/^MISSED (.*)/FAIL mutant \1/p' build/mutants.out
    if [ $rc -ne 0 ] || ! grep -q '^CAUGHT' build/mutants.out; then failed=1; tail -20 build/mutants.out >&2
        grep -q '^MISSED' build/mutants.out || echo "FAIL mutants exited with $rc"; fi
}
if [ -n "$mutants" ] && [ ${#args[@]} -eq 0 ]; then mutants; exit $failed; fi
if [ ${#args[@]} -gt 0 ]; then seeds "${args[@]}"; [ -n "$mutants" ] && mutants; exit $failed; fi
if [ -n "$long" ]; then seeds --seeds 1000000; mutants; else seeds --seeds 20000; mutants --killers tests/simulation/killers.txt; fi
exit $failed
