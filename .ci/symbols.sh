#!/usr/bin/env bash
# The linker proves purity: base and decide import no clock, randomness, files, threads or libuv.
#   usage: .ci/symbols.sh [PRESET]   (a preset without sanitizers: rel)
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:-rel} failed=0
impure='^(uv_.*|time|clock|clock_gettime|gettimeofday|rand|random|srand|getrandom|open|open64|fopen|fopen64|read|write|socket|connect|send|recv|pthread_.*|fork|execve|getenv|mysql_.*|mariadb_.*|sqlite3_.*|sleep|usleep|nanosleep)$'
for lib in mainstay_base mainstay_observation mainstay_decide; do
    file=build/$preset/lib$lib.a
    [ -e "$file" ] || { echo "FAIL symbols $file is not built"; failed=1; continue; }
    bad=$(nm -A --undefined-only "$file" | awk '{print $NF, $1}' | grep -E "^($(echo "$impure" | sed 's/^\^(//; s/)\$$//')) " || true)
    if [ -n "$bad" ]; then echo "FAIL symbols $lib imports: $bad"; failed=1; fi
done
executor=build/$preset/libmainstay_act.a
if [ -e "$executor" ]; then
    bad=$(nm -A --undefined-only "$executor" | grep -E ':executor[a-z_]*\.c\.o:' | awk '{print $NF}' | grep -E "$impure" || true)
    [ -z "$bad" ] || { echo "FAIL symbols executor imports: $bad"; failed=1; }
fi
discover=build/$preset/libmainstay_discover.a
if [ -e "$discover" ]; then
    bad=$(nm -A --undefined-only "$discover" | grep -E ':(crawl|stanza|zone)[a-z_]*\.c\.o:' | awk '{print $NF}' | grep -E "$impure" || true)
    [ -z "$bad" ] || { echo "FAIL symbols discover's pure files import: $bad"; failed=1; }
fi
[ $failed -eq 0 ] && echo "PASS symbols"
exit $failed
