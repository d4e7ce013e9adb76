#!/usr/bin/env bash
# Installs the Debian packages of .ci/packages.txt that are missing. Safe to run again.
#   usage: .ci/install.sh [--list]      --list only prints what is missing
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
while read -r package _; do
    case $package in ''|'#'*) continue ;; esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done <.ci/packages.txt
[ "${1:-}" = --list ] && { printf '%s\n' "${missing[@]}"; exit 0; }
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing with apt: ${missing[*]}"
root=(); [ "$(id -u)" -eq 0 ] || root=(sudo)
# Database packages start their service after installation; ours run only in the lab. A policy of
# the machine stays as it is.
policy=/usr/sbin/policy-rc.d made_policy=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
    "${root[@]}" chmod +x $policy; made_policy=1
fi
trap '[ -z "$made_policy" ] || "${root[@]}" rm -f $policy' EXIT
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
