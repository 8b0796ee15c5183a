#!/bin/sh
# Makes the Python environments of the SDK client tests: one per version of the official SDK.
# A finished environment has a stamp, so an interrupted one is made again.
set -eu

root=.build-venvs
for requirement in mcp==2.3.0 mcp==1.30.0; do
    venv=$root/$(printf %s "$requirement" | sed 's/==/-/')
    [ -e "$venv/.done" ] && continue
    echo "making $venv"
    rm -rf "$venv"
    mkdir -p "$root"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$requirement"
    touch "$venv/.done"
done
