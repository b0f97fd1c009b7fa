#!/usr/bin/env bash
# Unpacks Debian's Slurm into Halftone's cache for test/sweep/slurm.test.ts, which is skipped without it. Installs nothing and starts nothing.
set -euo pipefail
folder=${HALFTONE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/halftone}/slurm-test
[ ! -e "$folder/done" ] || exit 0
mkdir -p "$folder/debs"
cd "$folder/debs"
download() {
  apt-get install -y -qq --no-install-recommends --download-only -o Dir::Cache::archives="$PWD" -o Debug::NoLocking=1 slurmctld slurmd slurm-client >/dev/null
}
download || { apt-get update -qq && download; }
# What the machine has already is not among them.
for package in ./*.deb; do dpkg -x "$package" "$folder"; done
touch "$folder/done"
