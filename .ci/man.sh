#!/usr/bin/env bash
# The manual pages in deploy/man equal what the tables print, and lint clean. --write brings them up to date.
# usage: .ci/man.sh [--write] [BUILD_DIR]
set -uo pipefail
cd "$(dirname "$0")/.."
write=
[ "${1:-}" = "--write" ] && { write=1; shift; }
build="${1:-build/dev}"
tool="$build/bin/mainstay-manpages"
[ -x "$tool" ] || { echo "SKIP man: $tool is not built"; exit 0; }
failed=0
for page in $("$tool"); do
    "$tool" "$page" > "/tmp/man-$$" || failed=1
    if [ -n "$write" ]; then
        mkdir -p deploy/man && cp "/tmp/man-$$" "deploy/man/$page"
    elif ! cmp -s "/tmp/man-$$" "deploy/man/$page"; then
        echo "FAIL man deploy/man/$page is not what the tables say: .ci/man.sh --write $build"
        failed=1
    fi
    if command -v mandoc > /dev/null; then
        mandoc -Tlint -Wwarning "/tmp/man-$$" || { echo "FAIL man $page does not lint"; failed=1; }
    fi
done
rm -f "/tmp/man-$$"
[ $failed -eq 0 ] && echo "PASS man"
exit $failed
