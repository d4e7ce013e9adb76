#!/usr/bin/env bash
# tests/scenario/catalogue.txt holds every row exactly once, in order, each with a way that exists:
# a program of that name, a fault of the simulated world, or a reason.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0 said=
bad() { echo "FAIL catalogue $*"; failed=1; }
trim() { sed -E "s/^ +| +$//g" <<<"$1"; }
rows() { sed -E '/^ *(#|$)/d' tests/scenario/catalogue.txt; }
wanted=$({ seq 1 30; echo 30b; echo 30c; seq 31 68; } | paste -sd' ')
found=$(rows | cut -d'|' -f1 | tr -d ' ' | paste -sd' ')
[ "$wanted" = "$found" ] || bad "rows are not those of the catalogue, once and in order: $(
    diff <(tr ' ' '\n' <<<"$wanted") <(tr ' ' '\n' <<<"$found") | paste -sd' ')"
while IFS='|' read -r row way what title; do
    row=${row// } way=${way// } what=$(trim "$what") title=$(trim "$title")
    [ -n "$title" ] || bad "row $row has no title"
    case $way in
        scenario)
            for name in $what; do
                file=tests/scenario/scenario_$name.c said+=" $name"
                [ -f "$file" ] || { bad "row $row: no program $name"; continue; }
                tr -s '\n ' ' ' <"$file" | grep -qE "scenario_pass\( ?\"(([0-9a-z]+, )*$row\b|bad )" ||
                    bad "row $row: $file passes another row"
                grep -qE 'ENGINES: [a-z ]*[a-z] *(\*/|$)' "$file" || bad "row $row: $file names no engines"
                ! grep -A1 -E 'ENGINES: [a-z ]*$' "$file" | grep -qE '^ \* *(mariadb|mysql)' ||
                    bad "row $row: the engines of $file are not on one line"
            done ;;
        simulation)
            [[ $what == *:* ]] || bad "row $row: not said why it is simulated"
            for name in ${what%%:*}; do
                grep -qE "X\($name," tests/simulation/sim_kinds.h || bad "row $row: no fault $name"
            done ;;
        elsewhere) [ ${#what} -gt 20 ] || bad "row $row: no reason" ;;
        *) bad "row $row: no way '$way'" ;;
    esac
done < <(rows)
for file in tests/scenario/scenario_*.c; do
    ! grep -q 'ENGINES:' "$file" || grep -qE 'ENGINES: *[a-z]' "$file" || bad "$file: engines not on one line"
done
for file in tests/scenario/scenario_row*.c; do
    name=${file##*/scenario_}; name=${name%.c}
    grep -qwF "$name" <<<"$said" || bad "$name is no row's program"
done
while read -r engine name; do
    [ -f "tests/scenario/scenario_$name.c" ] || bad "short.txt: no program $name ($engine)"
done <tests/scenario/short.txt
[ $failed -eq 0 ] && echo "PASS catalogue: $(rows | wc -l) rows, $(rows | grep -c '| scenario |') on real servers, $(rows | grep -c '| simulation |') simulated, $(rows | grep -c '| elsewhere |') with a reason"
exit $failed
