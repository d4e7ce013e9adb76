#!/usr/bin/env bash
# Every header compiles alone.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
flags=$(pkg-config --cflags libuv libmariadb libconfig libcurl openssl libsystemd sqlite3 jansson libmicrohttpd)
for header in $(git ls-files 'base/*.h' 'probes/*.h' 'controller/*.h' 'backup/repository/*.h' 'backup/catalog/*.h' 'tests/lib/*.h' 'tests/bench/*.h' 'tests/simulation/*.h' 'tests/crash/*.h'); do
    # shellcheck disable=SC2086
    gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only $flags -I. -x c "$header" \
        2>build/header.log || { echo "FAIL headers $header"; head -5 build/header.log >&2; failed=1; }
done
[ $failed -eq 0 ] && echo "PASS headers"
exit $failed
