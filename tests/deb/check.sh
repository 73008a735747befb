#!/bin/bash
# Sees in a machine that boot.sh has started that the units do what they promise.
set -euo pipefail

say() { echo "-- $*"; }
die() {
    echo "FAILED: $*"
    systemctl list-jobs --no-pager
    journalctl --no-pager -n 40
    exit 1
}
twinkle() { runuser -u twinkle -- twinkle "$@"; }
# What a unit's property is.
is() { systemctl show -P "$2" "$1"; }
within() {
    local what=$1 left=240; shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || die "$what"
        sleep 0.25
    done
}
# The answer of the door's receiver to a flash of badge 7.
flash() {
    local reply=
    exec 3<>/dev/tcp/127.0.0.1/7000 || return 1
    printf '1*7*02/01/2022' >&3
    read -r -n 4 -t 10 reply <&3 || :
    exec 3>&-
    [ "$reply" = Open ]
}
opens() { flash 2>/dev/null; }
started_again() { [ "$(is "$1" NRestarts)" -ge 1 ] && systemctl is-active --quiet "$1"; }

say "nothing runs before it is enabled"
[ "$(systemctl list-units --no-legend 'twinkle-*' | wc -l)" = 0 ] || die "something runs"

say "central, relay and door start, and badge 7 opens"
echo TWINKLE_DOOR_FROM=tcp:127.0.0.1:7000 >/etc/twinkle/door-lab.env
timeout 120 systemctl enable --quiet --now twinkle-central twinkle-relay twinkle-door@lab \
    || die "they do not start"
for unit in twinkle-central twinkle-relay twinkle-door@lab; do
    systemctl is-active --quiet "$unit" || die "$unit is not active"
    [ "$(is "$unit" Type)" = notify ] || die "$unit does not say when it is ready"
    [ "$(is "$unit" WatchdogUSec)" != 0 ] || die "$unit has no watchdog"
    [ "$(is "$unit" User)" = twinkle ] || die "$unit runs as $(is "$unit" User)"
done
twinkle employee add 'Asha Rao' --twinklet 7 >/dev/null 2>&1 || die "nobody can be added"
within "badge 7 does not open" opens

say "who is killed, or hangs, is started again"
for unit in twinkle-central twinkle-relay twinkle-door@lab; do
    kill -KILL "$(is "$unit" MainPID)"
    within "$unit is not started again" started_again "$unit"
done
within "badge 7 does not open any more" opens
before=$(is twinkle-door@lab NRestarts)
kill -STOP "$(is twinkle-door@lab MainPID)"
hung_up() { [ "$(is twinkle-door@lab NRestarts)" -gt "$before" ]; }
within "the watchdog does not notice a door that hangs" hung_up
within "badge 7 does not open after the watchdog" opens

say "timers are set, and what they start does its work"
systemctl enable --quiet --now twinkle-backup.timer twinkle-register.timer
for timer in twinkle-backup twinkle-register; do
    systemctl list-timers --no-legend | grep "$timer.timer" >/dev/null || die "$timer.timer is not set"
    systemctl start "$timer.service" || die "$timer.service fails"
done
ls /var/lib/twinkle/backups/twinkle-*.db >/dev/null || die "no copy was made"
ls /var/lib/twinkle/registers/*.xlsx >/dev/null || die "no sheet was written"

say "systemd finds nothing wrong with the units"
for unit in twinkle-central twinkle-relay twinkle-door@lab twinkle-backup twinkle-register; do
    said=$(systemd-analyze verify --man=no "$unit.service" 2>&1 | grep twinkle || :)
    [ -z "$said" ] || die "$said"
    systemd-analyze security --no-pager --threshold=30 "$unit.service" >/tmp/exposed \
        || { tail -n 1 /tmp/exposed; die "$unit.service is exposed"; }
    tail -n 1 /tmp/exposed
done
