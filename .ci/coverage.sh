#!/usr/bin/env bash
# Branch coverage of the pure libraries from unit and golden tests, printed per file.
set -uo pipefail
cd "$(dirname "$0")/.."
.ci/build.sh cov || exit 1
.ci/unit.sh cov >build/cov-unit.out 2>&1
lcov --quiet --rc lcov_branch_coverage=1 --capture --directory build/cov --output-file build/cov.info \
    --include "*/base/*.c" --include "*/controller/decide/*.c" >/dev/null 2>&1
lcov --rc lcov_branch_coverage=1 --list build/cov.info | tee build/coverage.txt
echo "PASS coverage listed in build/coverage.txt"
