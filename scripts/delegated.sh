#!/bin/sh
# delegated.sh COMMAND...: runs a command where it may make limited cgroups. In version 2 that takes
# a group of its own, which systemd makes, with its processes in a leaf of it.
set -eu

if [ "$(id -u)" != 0 ] || [ ! -e /sys/fs/cgroup/cgroup.controllers ] || [ ! -d /run/systemd/system ]
then
    exec "$@"
fi
if [ -z "${CORRAL_DELEGATED-}" ]; then
    export CORRAL_DELEGATED=1
    exec systemd-run --scope --quiet --collect --property=Delegate=yes -- "$0" "$@"
fi
unset CORRAL_DELEGATED
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "$group/supervisor"
echo $$ >"$group/supervisor/cgroup.procs"
enable=
for controller in $(cat "$group/cgroup.controllers"); do
    case $controller in cpu | memory | pids | io) enable="$enable +$controller" ;; esac
done
echo "$enable" >"$group/cgroup.subtree_control"
exec "$@"
