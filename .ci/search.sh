#!/usr/bin/env bash
# Exhaustive search in small scope over the decision core (tests/search/search.h), then the seeded bugs it must find.
#   usage: .ci/search.sh [--long]
set -uo pipefail
cd "$(dirname "$0")/.."
bin=build/rel/bin failed=0 begun=$(date +%s)
mkdir -p build
search() { # search NAME ARGS...: PASS when nothing was violated and, but for part-*, the scope was searched to its end
    local name=$1 out="build/search-$1.out" part=; shift
    case $name in part-*) part=1 ;; esac
    if "$bin/search" "$@" >"$out" 2>&1 && { [ -n "$part" ] || ! grep -q 'not searched to its end' "$out"; }; then
        sed -n '1,4p' "$out"; echo "PASS search $name: $(head -1 "$out")"
    else cat "$out"; echo "FAIL search $name: $bin/search $*"; fi
}
scopes() { # "NAME ARGS" lines, two at a time; the outcome is read back in order
    local line n=0
    while read -r line; do
        # shellcheck disable=SC2086
        search $line >"build/search-scope.$n" &
        n=$((n + 1)); [ $((n % 2)) -ne 0 ] || wait
    done
    wait
    for ((i = 0; i < n; i++)); do cat "build/search-scope.$i"; ! grep -q '^FAIL' "build/search-scope.$i" || failed=1; done
}
mutants() {
    local name options
    while read -r name options; do
        # shellcheck disable=SC2086
        "$bin/search-mutants" --mutants --mutant "$name" --heal-every 0 $options >build/search-mutant.out 2>&1
        if grep -q "^$name .*found after" build/search-mutant.out; then
            echo "PASS search $(grep "^$name " build/search-mutant.out | tr -s ' '): $(sed -n 's/^  path: //p' build/search-mutant.out)"
        else echo "FAIL search $name $options: $(tail -1 build/search-mutant.out)"; failed=1; fi
    done < <(grep -v '^#' tests/search/mutants.txt)
}
paths() {
    local line n=0
    while read -r line; do
        # shellcheck disable=SC2086
        if "$bin/search" ${line%%|*} --path "${line#*| }" >build/search-path.out 2>&1; then n=$((n + 1))
        else tail -1 build/search-path.out; echo "FAIL search path ${line#*| }"; failed=1; fi
    done < <(grep -v '^#' tests/search/paths.txt)
    echo "PASS search $n known paths are clean"
}
paths
if [ "${1:-}" = --long ]; then
    scopes <<-'X'
	mariadb-pair --engine mariadb --layout pair --faults 2 --interrupts 0 --heal-every 10
	mysql-pair --engine mysql --layout pair --faults 2 --interrupts 0 --heal-every 10
	mariadb-two --engine mariadb --layout two --faults 1
	mysql-two --engine mysql --layout two --faults 1
	part-mariadb --engine mariadb --layout pair --faults 2 --heal-every 10 --states 9000000 --seconds 1200
	part-mysql --engine mysql --layout pair --faults 2 --heal-every 10 --states 9000000 --seconds 1200
	X
else
    scopes <<-'X'
	mariadb --engine mariadb --layout two --events 12 --faults 1 --heal-every 2
	mysql --engine mysql --layout two --events 12 --faults 1 --heal-every 2
	X
fi
mutants
echo "   search: $(($(date +%s) - begun)) s"
exit $failed
