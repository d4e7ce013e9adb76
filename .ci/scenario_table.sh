#!/usr/bin/env bash
# The table of .ci/scenario.sh: every row of tests/scenario/catalogue.txt with its engine, what was
# injected, what happened, the invariant that was checked and the seconds it took.
#   usage: .ci/scenario_table.sh FOLDER SEEDS      FOLDER/*.result, FOLDER/simulation.txt of a run
set -uo pipefail
cd "$(dirname "$0")/.."
out=$1 seeds=$2
trim() { sed -E 's/^ +| +$//g' <<<"$1"; }
line() { printf 'row %-4s| %-10s| %s\n' "$1" "$2" "$3"; }
engines_of() { sed -nE 's/.*ENGINES: *([a-z ,]+).*/\1/p' "tests/scenario/scenario_$1.c" | head -1; }
scenario() { # ROW NAME TITLE
    local engine rc seconds commit said
    for engine in $(engines_of "$2"); do
        engine=${engine%,}
        if [ ! -f "$out/$2-$engine.result" ]; then
            line "$1" "$engine" "$3 | in the long set: ./test scenario $2 --engine $engine"
            continue
        fi
        IFS='|' read -r _ _ rc seconds commit said <"$out/$2-$engine.result"
        case $rc in
            0) line "$1" "$engine" "$(trim "${said#*|}") | $seconds s | $commit" ;;
            77) line "$1" "$engine" "$3 | skipped: $said" ;;
            *) line "$1" "$engine" "$3 | FAILED: $said | $seconds s" ;;
        esac
    done
}
simulation() { # ROW FAULTS WHY TITLE: as often as the faults struck, and what the checker found
    local fault text hits violations
    violations=$(sed -nE 's/^violations: ([0-9]+).*/\1/p' "$out/simulation.txt")
    for fault in $2; do
        text=$(sed -nE "s/.*X\($fault, \"([^\"]+)\".*/\1/p" tests/simulation/sim_kinds.h)
        hits=$(sed -nE "s/^ +fault +$text +([0-9]+).*/\1/p" "$out/simulation.txt")
        line "$1" simulator "$text ($3) | struck ${hits:-0} times in seeds $seeds, ${violations:-?} violations | S1-S14 L2 L3 L5 | ./test simulation --from 1"
        [ "${hits:-0}" -gt 0 ] && [ "${violations:-1}" = 0 ] || echo "FAIL scenario row $1: $fault struck ${hits:-0} times, ${violations:-?} violations"
    done
}
while IFS='|' read -r row way what title; do
    row=$(trim "$row") what=$(trim "$what") title=$(trim "$title")
    case $(trim "$way") in
        scenario) for name in $what; do scenario "$row" "$name" "$title"; done ;;
        simulation) simulation "$row" "${what%%:*}" "$(trim "${what#*:}")" "$title" ;;
        elsewhere) line "$row" '-' "$title | not run: $what" ;;
    esac
done < <(sed -E '/^ *(#|$)/d' tests/scenario/catalogue.txt)
# What is no row of the catalogue: facts of the servers, bad input, the checker's own tests.
for result in "$out"/*.result; do
    [ -f "$result" ] || continue
    IFS='|' read -r name engine rc seconds commit said <"$result"
    grep -qw "$name" tests/scenario/catalogue.txt && continue
    [ "$rc" = 0 ] || said="rc $rc: $said"
    line - "$engine" "$name | $said | $seconds s | $commit"
done
