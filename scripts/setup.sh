#!/bin/sh
# Installs the Debian packages that building, testing and the demo need when they are missing, and
# those that are named as arguments.
# Versions are those of Debian 12 (bookworm); a newer one does as well.
set -eu

packages='
    gcc libc6-dev binutils make pkg-config
    libseccomp-dev libsqlite3-dev libyaml-dev
    git python3 python3-venv bubblewrap
    util-linux procps iproute2 ca-certificates'

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

command -v swift >/dev/null ||
    fail "cannot find 'swift': install a Swift 6.3 toolchain (https://www.swift.org/install/linux/)"

missing=
for package in $packages "$@"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || fail "missing packages; run as root: apt-get install$missing"
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# The package lists of a fresh image are empty or old, so a first failure means: fetch them.
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 && exit 0
apt-get update -q >/dev/null
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $missing >/dev/null
