#!/bin/sh
# Rewrites the hash-locked files from the *.in files. Needs uv (pip install uv).
set -eu
cd "$(dirname "$0")"
lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@"; }
lock dev.in -o dev.txt
for part in platform lint types imports test tox; do
    lock -c dev.txt "$part.in" -o "$part.txt"
done
lock delegate.in -o delegate.txt
lock bench-sam.in -o bench-sam.txt
lock bench-ministack.in -o bench-ministack.txt
