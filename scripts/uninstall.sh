#!/bin/sh
# make uninstall: removes what make install put there. A configuration file that differs from the
# one installed is somebody's work and stays, and so does the state; both are named.
set -eu

libexec=$DESTDIR$LIBEXECDIR
etc=$DESTDIR$SYSCONFDIR/corral
lib=$DESTDIR$PREFIX/lib
doc=$DESTDIR$PREFIX/share/doc/corral

if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now corrald.service 2>/dev/null || true
fi

rm -f "$DESTDIR$PREFIX/bin/corral"
rm -f "$libexec/corrald" "$libexec/corral-launch" "$libexec/corral-broker" \
    "$libexec/corral-egress"
rm -f "$lib/systemd/system/corrald.service"
rm -f "$lib/sysusers.d/corral.conf" "$lib/tmpfiles.d/corral.conf" \
    "$lib/modules-load.d/corral.conf"
for file in *.md docs/*.md; do
    rm -f "$doc/$(basename "$file")"
done

remove_unchanged() { # remove_unchanged SOURCE TARGET
    rm -f "$2.new"
    ! cmp -s "$1" "$2" || rm -f "$2"
}
remove_unchanged systemd/corrald.yaml "$etc/corrald.yaml"
for file in policies/*.yaml policies/syscalls/*.yaml runcards/*.yaml runcards/*.lock; do
    [ ! -e "$file" ] || remove_unchanged "$file" "$etc/$file"
done

# Only directories that are ours alone, and only when empty.
rmdir "$libexec" "$doc" "$etc/policies/syscalls" "$etc/policies" "$etc/runcards" "$etc" \
    2>/dev/null || true
[ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && systemctl daemon-reload
for kept in "$etc" "$DESTDIR/var/lib/corral"; do
    [ ! -e "$kept" ] || echo "kept $kept (remove it yourself when nobody needs it)"
done
exit 0
