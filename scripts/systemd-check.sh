#!/bin/sh
# Proves that the units are accepted by systemd's own tools, without a running systemd: everything
# is installed into a temporary root and judged there.
set -eu

root=$(mktemp -d /tmp/corral-systemd.XXXXXX)
trap 'rm -rf "$root"' EXIT

fail() {
    printf 'systemd-check: %s\n' "$*" >&2
    exit 1
}

built=.build/debug
mkdir -p "$root"
export DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc LIBEXECDIR=/usr/libexec/corral
scripts/install.sh "$built"

if command -v systemd-analyze >/dev/null; then
    # An unknown key is only "ignored" with status 0, so the output must be empty as well.
    unit=$root/corrald.service
    installed=$root/usr/lib/systemd/system/corrald.service
    sed "s#=/usr/libexec#=$root/usr/libexec#" "$installed" >"$unit"
    told=$(systemd-analyze verify --man=no "$unit" 2>&1) || fail "$told"
    ours=$(printf '%s\n' "$told" | grep -E 'corrald|Unknown|ignoring' || true)
    [ -z "$ours" ] || fail "$ours"
    # Namespaces, mounts, users and network rules are its duty, which systemd counts as exposure.
    systemd-analyze security --offline=true --threshold=62 --no-pager "$installed" \
        >"$root/security" ||
        fail "$(tail -n 1 "$root/security")"
    tail -n 1 "$root/security" | sed 's/^[^A-Za-z]*/systemd-check: /'
else
    echo "systemd-check: unit not verified: no systemd-analyze here"
fi

if command -v systemd-sysusers >/dev/null && [ "$(id -u)" = 0 ]; then
    systemd-sysusers --root="$root" "$root/usr/lib/sysusers.d/corral.conf" >/dev/null 2>&1 ||
        fail "systemd-sysusers refuses systemd/corral.sysusers"
    grep -q '^corral:' "$root/etc/passwd" || fail "sysusers made no user 'corral'"
    systemd-tmpfiles --create --root="$root" "$root/usr/lib/tmpfiles.d/corral.conf" ||
        fail "systemd-tmpfiles refuses systemd/corral.tmpfiles"
    uid=$(grep '^corral:' "$root/etc/passwd" | cut -d: -f3)
    found=$(stat -c '%a %u' "$root/var/lib/corral/broker")
    [ "$found" = "700 $uid" ] || fail "the broker's directory is '$found', not '700 $uid'"
else
    echo "systemd-check: sysusers and tmpfiles not verified: not root, or no systemd-sysusers here"
fi

# What was installed goes again, without a trace of ours.
rm -rf "$root/var/lib/corral" "$root/run"
scripts/uninstall.sh
left=$(find "$root/usr" "$root/etc/corral" ! -type d 2>/dev/null || true)
[ -z "$left" ] || fail "make uninstall left: $left"
echo "systemd-check: unit, users and directories are accepted; install and uninstall leave nothing"
