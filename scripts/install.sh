#!/bin/sh
# make install: the programs, the configuration, the units and the documents.
# A configuration file that is there already is never replaced: the new one lands beside it as .new.
set -eu

built=$1
bin=$DESTDIR$PREFIX/bin
libexec=$DESTDIR$LIBEXECDIR
etc=$DESTDIR$SYSCONFDIR/corral
lib=$DESTDIR$PREFIX/lib
doc=$DESTDIR$PREFIX/share/doc/corral

for program in corrald corral-launch corral-broker corral-egress corral; do
    [ -x "$built/$program" ] && continue
    echo "cannot install '$program': $built has no such program (run: make release)" >&2
    exit 1
done

configure() { # configure SOURCE TARGET: an admin's file
    if [ ! -e "$2" ]; then
        install -m 0644 "$1" "$2"
    elif ! cmp -s "$1" "$2"; then
        install -m 0644 "$1" "$2.new"
        echo "kept $2 (the new one is $2.new)"
    fi
}

# The programs find each other as neighbours, so all but the command live in one directory.
install -d -m 0755 "$bin" "$libexec" "$doc" \
    "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" "$lib/modules-load.d" \
    "$etc" "$etc/policies" "$etc/policies/syscalls" "$etc/runcards"
# Stripped: symbols are half of a Swift program's size.
install -s -m 0755 "$built/corral" "$bin/corral"
for program in corrald corral-launch corral-broker corral-egress; do
    install -s -m 0755 "$built/$program" "$libexec/$program"
done

configure systemd/corrald.yaml "$etc/corrald.yaml"
for file in policies/*.yaml policies/syscalls/*.yaml runcards/*.yaml runcards/*.lock; do
    [ ! -e "$file" ] || configure "$file" "$etc/$file"
done

sed -e "s#/usr/libexec/corral#$LIBEXECDIR#" -e "s#/etc/corral#$SYSCONFDIR/corral#" \
    systemd/corrald.service >"$lib/systemd/system/corrald.service"
chmod 0644 "$lib/systemd/system/corrald.service"
install -m 0644 systemd/corral.sysusers "$lib/sysusers.d/corral.conf"
install -m 0644 systemd/corral.tmpfiles "$lib/tmpfiles.d/corral.conf"
install -m 0644 systemd/corral.modules-load "$lib/modules-load.d/corral.conf"
for file in *.md docs/*.md; do
    [ ! -e "$file" ] || install -m 0644 "$file" "$doc/"
done

# The rest changes the running system, which a package build (DESTDIR) must not.
[ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] || exit 0
if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers "$lib/sysusers.d/corral.conf"
    systemd-tmpfiles --create "$lib/tmpfiles.d/corral.conf"
else
    echo "no systemd-sysusers here: add the system users 'corral' and 'corral-egress'" \
        "(useradd --system --user-group NAME)"
fi
[ ! -d /run/systemd/system ] || systemctl daemon-reload
