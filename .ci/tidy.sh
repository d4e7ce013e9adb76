#!/usr/bin/env bash
# clang-tidy on the files changed since REV (default: the last 10 commits); --all for every file.
#   usage: .ci/tidy.sh [REV|--all]
set -uo pipefail
cd "$(dirname "$0")/.."
command -v clang-tidy-14 >/dev/null || { echo "SKIP tidy clang-tidy-14 is not installed"; exit 0; }
[ -e build/dev/compile_commands.json ] || .ci/build.sh dev
if [ "${1:-}" = --all ]; then files=$(git ls-files 'base/*.c' 'probes/*.c' 'controller/*.c' 'backup/repository/*.c' 'backup/catalog/*.c')
else files=$(git diff --name-only --diff-filter=d "${1:-HEAD~10}" -- 'base/*.c' 'probes/*.c' 'controller/*.c' 'backup/repository/*.c' 'backup/catalog/*.c' 2>/dev/null | head -6); fi
[ -n "$files" ] || { echo "PASS tidy nothing changed"; exit 0; }
if echo "$files" | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/dev --quiet >build/tidy.log 2>/dev/null; then
    echo "PASS tidy $(echo "$files" | wc -l) files"
else
    grep -E 'warning|error' build/tidy.log | head -20 >&2; echo "FAIL tidy see build/tidy.log"; exit 1
fi
