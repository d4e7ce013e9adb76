#!/usr/bin/env bash
# Real-server scenarios: each program of tests/scenario on its own lab, at most two at a time.
#   usage: .ci/scenario.sh [--long] [--engine mariadb|mysql] [--resume] [--table] [NAME ...]
# MAINSTAY_SLOTS=1: one at a time. --resume leaves out what already passed at this commit (the long set may be gathered in several
# goes); --table runs nothing and prints what is there.
# Short setting (CI): six scenarios per engine, those named in tests/scenario/short.txt.
# A program is run as PROGRAM --engine E --name LAB; exit 0 passed, 77 skipped, else failed. Its last
# line says: row | injected | what happened | invariant. Without names the table of every row of
# tests/scenario/catalogue.txt is printed: what ran now, what only the long set runs, and why a row
# is simulated or not run.
set -uo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || exec sudo -E "$0" "$@"
long= engines= resume= table= names=()
while [ $# -gt 0 ]; do
    case $1 in --long) long=1 ;; --resume) resume=1 ;; --table) resume=1 table=1 ;; --engine) shift; engines=$1 ;; *) names+=("$1") ;; esac
    shift
done
jobs=() out=build/scenario limit=300; mkdir -p $out
commit=$(git rev-parse --short=10 HEAD 2>/dev/null)
[ -n "$resume" ] || rm -f $out/*.result
[ -z "$long" ] || { export MAINSTAY_SCENARIO_LONG=1; limit=2400; }
for program in build/rel/scenarios/scenario_*; do
    [ -x "$program" ] || continue
    name=${program##*/scenario_}
    if [ ${#names[@]} -gt 0 ]; then printf '%s\n' "${names[@]}" | grep -qxF "$name" || continue; fi
    supported=$(sed -nE 's/.*ENGINES: *([a-z ,]+).*/\1/p' "tests/scenario/scenario_$name.c" | head -1)
    for engine in ${supported:-mariadb mysql}; do
        engine=${engine%,}
        [ -z "$engines" ] || [ "$engine" = "$engines" ] || continue
        if [ -z "$long" ] && [ ${#names[@]} -eq 0 ]; then
            grep -qxF "$engine $name" tests/scenario/short.txt || continue
        fi
        [ -z "$resume" ] || ! grep -q "^$name|$engine|0|.*|$commit|" "$out/$name-$engine.result" 2>/dev/null ||
            continue
        jobs+=("$engine:$name")
    done
done
[ -z "$table" ] || jobs=()
[ ${#jobs[@]} -gt 0 ] || [ -n "$resume" ] || { echo "FAIL scenario no such scenario: ${names[*]}"; exit 1; }
one() { # one SLOT ENGINE NAME
    local log=$out/$3-$2.log begun=$(date +%s.%N) rc last seconds again=
    # Crash points are not in a release's mainstayd: those scenarios take the dev build's.
    local bin=build/rel/bin
    grep -q scenario_crash_at "tests/scenario/scenario_$3.c" && bin=${MAINSTAY_CRASH_BIN:-build/dev/bin}
    # A matrix of points is gathered in several goes: its record is of this commit, and 76 means that some are left.
    export MAINSTAY_POINTS=$out/$3-$2-$commit.points
    [ -n "$resume" ] || rm -f "$MAINSTAY_POINTS"
    attempt() { MAINSTAY_BIN=$PWD/$bin timeout "$limit" "build/rel/scenarios/scenario_$3" --engine "$2" --name "${MAINSTAY_LAB:-t}$1" >"$log" 2>&1; }
    attempt "$@"; rc=$?
    # A wait can run out on a busy machine: once more, and said. What the loss checker finds is final.
    if [ $rc -ne 0 ] && [ $rc -ne 76 ] && [ $rc -ne 77 ] && ! grep -q 'loss checker' "$log"; then
        cp "$log" "$log.first"; again=" (second try; the first ended: $(tail -n 1 "$log.first"))"
        attempt "$@"; rc=$?
    fi
    seconds=$(awk -v a="$begun" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    last=$(tail -n 1 "$log")
    echo "$3|$2|$rc|$seconds|$commit|$last" >"$out/$3-$2.result"
    case $rc in
        0) echo "PASS scenario $2 $3 | $last | $seconds s$again" ;;
        76) echo "MORE scenario $2 $3 | $last | $seconds s; go on: ./test scenario $3 --engine $2 --long --resume" ;;
        77) echo "SKIP scenario $2 $3: $last" ;;
        *) echo "FAIL scenario $2 $3 (exit $rc) | $last | $seconds s; log $log; again: ./test scenario $3 --engine $2" ;;
    esac
}
slots=${MAINSTAY_SLOTS:-2}
slot() { local i; for ((i = $1; i < ${#jobs[@]}; i += slots)); do one "$1" "${jobs[i]%%:*}" "${jobs[i]#*:}"; done; }
for ((n = 0; n < slots; n++)); do slot $n >$out/slot$n & done; wait
cat $(seq -f "$out/slot%g" 0 $((slots - 1))) | sort -k3,4 >$out/jobs.txt
if [ ${#names[@]} -eq 0 ]; then
    # The simulated rows: one run, hits by fault kind.
    seeds=3000; [ -z "$long" ] || seeds=20000
    [ -n "$table" ] && [ -f $out/simulation.txt ] || build/rel/bin/simulation --from 1 --seeds $seeds --reach --jobs 1 >$out/simulation.txt 2>&1
    .ci/scenario_table.sh "$out" "1..$seeds" | tee $out/table.txt
    grep '^FAIL' $out/table.txt >>$out/jobs.txt
else
    grep '^PASS' $out/jobs.txt | sed 's/^PASS/   ok/'
fi
cat $out/jobs.txt
! grep -q '^FAIL' $out/jobs.txt
