#!/usr/bin/env bash
# Documents are tested: example configurations pass `config check`, every verb of the README exists,
# every link in Markdown points at a file.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0 bin=build/rel/bin
# The files an example names are made here, so that what is checked is the example itself.
place=$PWD/build/docs; rm -rf "$place"; mkdir -p "$place/secrets" "$place/tls"
for secret in monitor canary operate replicate backup; do (umask 077; echo x >"$place/secrets/$secret"); done
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=docs -days 2 -keyout "$place/tls/key.pem" \
    -out "$place/tls/ca.pem" 2>/dev/null
for example in deploy/examples/*.conf; do
    copy=$place/${example##*/}
    sed "s|/etc/mainstay|$place|g" "$example" >"$copy"
    if out=$("$bin/mainstay" config check "$copy" 2>&1); then echo "PASS docs $example"
    else echo "FAIL docs $example: $out"; failed=1; fi
done
while read -r verb; do
    if "$bin/mainstay" help "$verb" >/dev/null 2>&1; then echo "PASS docs verb $verb"
    else echo "FAIL docs README names unknown verb '$verb'"; failed=1; fi
done < <(grep -ohE '(`|^ +(\$ )?)mainstay [a-z-]+' README.md | sed -E 's/.*mainstay //' | sort -u)
while IFS=: read -r file link; do
    target=${link%%#*}
    [ -z "$target" ] || [ -e "$(dirname "$file")/$target" ] || { echo "FAIL docs $file links to missing $target"; failed=1; }
done < <(git ls-files '*.md' | xargs grep -oHE '\]\([^)h][^)]*\)' | sed -E 's/\]\((.*)\)$/\1/')
exit $failed
