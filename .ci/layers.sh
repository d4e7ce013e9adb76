#!/usr/bin/env bash
# Checks the arrows of ARCHITECTURE.md: which folder may include which, unique file names, banned names.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
fail() { echo "FAIL layers $*"; failed=1; }
declare -A may=(
    [base]="base"
    [base/io]="base base/io"
    [probes]="base base/io probes"
    [backup/repository]="base base/io backup/repository"
    [backup/catalog]="base base/io backup/repository backup/catalog"
    [backup]="base base/io probes backup backup/repository backup/catalog"
    [controller/decide]="base probes/observation.h controller/decide"
    [controller/keep]="base base/io probes/observation.h controller/decide controller/keep"
    [controller/act]="base base/io probes controller/decide controller/keep controller/settings controller/act"
    [controller/discover]="base base/io probes controller/decide controller/discover"
    [controller/serve]="base base/io probes/observation.h controller/decide controller/keep controller/act controller/settings controller/serve"
    [controller/settings]="base base/io probes/observation.h controller/decide controller/settings"
    [controller/run]="base base/io probes controller/decide controller/keep controller/act controller/discover controller/serve controller/settings controller/run backup backup/repository backup/catalog"
)
for folder in "${!may[@]}"; do
    for file in "$folder"/*.[ch]; do
        [ -e "$file" ] || continue
        while read -r include; do
            ok=
            for allowed in ${may[$folder]}; do
                [ "$include" = "$allowed" ] || [ "${include%/*}" = "$allowed" ] && { ok=1; break; }
            done
            [ -n "$ok" ] || fail "$file includes $include"
        done < <(sed -nE 's/^#include "([^"]+)".*/\1/p' "$file")
    done
done
# tests/lib is the independent judge: it shares no code with the controller but base.
grep -nE '#include "(controller|probes)/' tests/lib/*.[ch] 2>/dev/null | while read -r line; do echo "FAIL layers $line"; done | grep . && failed=1
duplicates=$(git ls-files '*.c' '*.h' | sed 's|.*/||' | sort | uniq -d)
[ -z "$duplicates" ] || fail "file names not unique: $duplicates"
banned=$(git ls-files | grep -iE '(^|[/_-])(utils?|common|misc|helpers?)([/_.-]|$)' || true)
[ -z "$banned" ] || fail "names that say nothing: $banned"
for file in $(git ls-files '*.c' | grep -E '^(base|probes|backup|controller)/'); do
    grep -qE '^#include ' "$file" || fail "$file includes nothing"
done
[ $failed -eq 0 ] && echo "PASS layers"
exit $failed
