#!/usr/bin/env bash
# Branch coverage of controller/decide and base from unit and golden tests, printed per file. Two branches that no
# situation takes are left out: the failing one of must(), and the one gcc adds to a switch over an enumeration for
# values outside of it. Files named in .ci/coverage.full must have every other branch taken.
#   usage: .ci/coverage.sh [--missing FILE]   (--missing also prints FILE's lines with a branch not taken)
set -uo pipefail
cd "$(dirname "$0")/.."
.ci/build.sh cov || exit 1
find build/cov -name '*.gcda' -delete
.ci/unit.sh cov >build/cov-unit.out 2>&1
lcov --quiet --rc lcov_branch_coverage=1 --capture --directory build/cov --output-file build/cov.info \
    --include "*/base/*.c" --include "*/controller/decide/*.c" >/dev/null 2>&1
missing=; [ "${1:-}" = --missing ] && missing=${2:-}
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
awk '!/^  / { printf "   %-40s %5.1f %%  %d of %d branches\n", $1, $3 ? 100 * $2 / $3 : 100, $2, $3; split($1, p, "/")
     got[p[1]] += $2; all[p[1]] += $3 }
     END { for (d in all) printf "   %-40s %5.1f %%  %d of %d branches\n", "all of " d, 100 * got[d] / all[d], got[d], all[d] }' build/coverage.txt
failed=0
while read -r file; do
    if awk -v f="$file" '$1 == f && $2 == $3 { ok = 1 } END { exit !ok }' build/coverage.txt; then echo "PASS coverage $file"
    else echo "FAIL coverage $file has branches no test takes: .ci/coverage.sh --missing ${file#*/}"; failed=1; fi
done < <(grep -v '^#' .ci/coverage.full)
exit $failed
