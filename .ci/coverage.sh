#!/usr/bin/env bash
# Branch coverage of controller/decide and base by unit and golden tests, printed per file: only what a test takes that
# says what is right there counts, not what the simulator passes by. Two branches that no situation takes are left out:
# the failing one of must(), and the one gcc adds to a switch over an enumeration for values outside of it. Files named
# in .ci/coverage.full must have every other branch taken, and decide as a whole the share its first line names.
#   usage: .ci/coverage.sh [--missing [FILE]]   (--missing also prints the lines, all or FILE's, with a branch not taken)
set -uo pipefail
cd "$(dirname "$0")/.."
suites=(tests/unit/base/test_*.c tests/unit/controller/decide/test_*.c tests/unit/controller/act/test_executor*.c
        tests/unit/simulation/test_*.c)
tests=(); for source in "${suites[@]}"; do tests+=("$(basename "$source" .c)"); done
.ci/build.sh cov --target "${tests[@]}" || exit 1
find build/cov -name '*.gcda' -delete
failed=0
for test in "${tests[@]}"; do # what it counts is worth nothing when it fails
    timeout 120 "build/cov/tests/$test" >build/cov-test.out 2>&1 ||
        { echo "FAIL coverage $test fails: build/cov/tests/$test"; failed=1; }
done
rm -f build/cov.info
lcov --quiet --rc lcov_branch_coverage=1 --capture --directory build/cov/CMakeFiles/mainstay_decide.dir \
    --directory build/cov/CMakeFiles/mainstay_base.dir --output-file build/cov.info \
    --include "*/base/*.c" --include "*/controller/decide/*.c" >/dev/null 2>&1
[ -s build/cov.info ] || { echo "FAIL coverage nothing was measured: is lcov installed?"; exit 1; }
missing=; [ "${1:-}" = --missing ] && missing=${2:-.c}
awk -v missing="$missing" '
    function code(file, n,   line, i) {
        if (!(file in read)) { read[file] = 1; for (i = 1; (getline line < file) > 0; i++) source[file, i] = line }
        return source[file, n]
    }
    function flush(   i, text, is_switch, n, hit, left) {
        if (last == "") return
        text = code(file, last); is_switch = text ~ /switch \(/
        if (text !~ /must\(/) {
            for (i = 0; i < count; i++) { n++; if (taken[i]) hit++ }
            if (is_switch && !taken[count - 1]) n--       # outside of the enumeration
            all[file] += n; got[file] += hit
            if (n > hit && missing != "" && file ~ missing "$") printf "  %s:%d %d of %d  %s\n", file, last, hit, n, text
        }
        count = 0
    }
    /^SF:/ { file = substr($0, 4); last = "" }
    /^BRDA:/ { split(substr($0, 6), f, ","); if (f[1] != last) { flush(); last = f[1] } taken[count++] = f[4] + 0 > 0 }
    /^end_of_record/ { flush(); last = "" }
    END { for (file in all) { name = file; sub(".*/(controller/decide|base)/", "&", name); n = split(file, part, "/")
              printf "%s %d %d\n", part[n - 1] "/" part[n], got[file], all[file] } }' build/cov.info |
    sort >build/coverage.txt
grep '^  ' build/coverage.txt
awk 'BEGIN { printf "   %-36s %8s %8s %9s\n", "file", "branches", "taken", "percent" }
     function row(name, got, all) { printf "   %-36s %8d %8d %7.1f %%\n", name, all, got, all ? 100 * got / all : 100 }
     /^  / { next }
     { split($1, p, "/"); got[p[1]] += $2; all[p[1]] += $3; files[p[1]]++ }
     $2 < $3 { row($1, $2, $3); next }
     { full[p[1]]++ }
     END { for (d in all) row(sprintf("all of %s, %d of %d files full", d, full[d], files[d]), got[d], all[d]) }' \
    build/coverage.txt
floor=$(sed -nE 's/^# decide ([0-9.]+) %.*/\1/p' .ci/coverage.full)
if awk -v floor="$floor" '!/^  / && /^decide\// { got += $2; all += $3 } END { exit !(all && 100 * got / all >= floor) }' \
    build/coverage.txt; then echo "PASS coverage decide at least $floor % of branches"
else echo "FAIL coverage decide has less than $floor % of its branches taken: .ci/coverage.sh --missing"; failed=1; fi
while read -r file; do
    if awk -v f="$file" '$1 == f && $2 == $3 { ok = 1 } END { exit !ok }' build/coverage.txt; then echo "PASS coverage $file"
    else echo "FAIL coverage $file has branches no test takes: .ci/coverage.sh --missing ${file#*/}"; failed=1; fi
done < <(grep -v '^#' .ci/coverage.full)
exit $failed
