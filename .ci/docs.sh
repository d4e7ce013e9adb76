#!/usr/bin/env bash
# Documents are tested: example configurations pass `config check`, every verb of the README exists,
# every link in Markdown points at a file.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0 bin=build/rel/bin
for example in deploy/examples/*.conf; do
    [ -e "$example" ] || continue
    if out=$("$bin/mainstay" config check "$example" 2>&1); then echo "PASS docs $example"
    else echo "FAIL docs $example: $out"; failed=1; fi
done
while read -r verb; do
    if "$bin/mainstay" help "$verb" >/dev/null 2>&1; then echo "PASS docs verb $verb"
    else echo "FAIL docs README names unknown verb '$verb'"; failed=1; fi
done < <(grep -ohE '^(\$ )?mainstay [a-z-]+' README.md | sed -E 's/.*mainstay //' | sort -u)
while IFS=: read -r file link; do
    target=${link%%#*}
    [ -z "$target" ] || [ -e "$(dirname "$file")/$target" ] || { echo "FAIL docs $file links to missing $target"; failed=1; }
done < <(git ls-files '*.md' | xargs grep -oHE '\]\([^)h][^)]*\)' | sed -E 's/\]\((.*)\)$/\1/')
exit $failed
