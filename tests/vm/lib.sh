# What the scripts in the virtual machine share.

failed=0
# Waits so many seconds, without a process of its own: here those cost more than anything else.
mkfifo /tmp/never
exec 9<>/tmp/never
rest() { read -r -t "$1" -u 9 never_; }
# The time, in ms.
tick() { read -r tick_ never_ </proc/uptime; echo "${tick_%.*}${tick_#*.}0"; }

# expect WHAT GOT WANTED
expect() {
    if [ "$2" = "$3" ]; then
        echo "ok    $1"
    else
        failed=1
        echo "FAIL  $1: got '$2', wanted '$3'"
    fi
}

# between WHAT GOT LEAST MOST
between() {
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
        echo "ok    $1 ($2 ms)"
    else
        failed=1
        echo "FAIL  $1: $2 is not in $3 to $4"
    fi
}

# The chip, taken away and given back under a new name. A script before this one may have done so.
chip=/sys/kernel/config/gpio-sim/chip
find_chip() {
    CHIP=/dev/$(cat $chip/bank/chip_name)
    SIM=/sys/devices/platform/$(cat $chip/dev_name)/$(cat $chip/bank/chip_name)
}
pull_out() { echo 0 >$chip/live; }
put_back() { echo 1 >$chip/live; find_chip; }
find_chip

level() { read -r level_ <"$SIM/sim_gpio$1/value"; echo "$level_"; }
pull() { echo "pull-$2" >"$SIM/sim_gpio$1/pull"; }

# Waits for a line's level, for at most a minute.
until_level() {
    local left=6000 level_
    while read -r level_ <"$SIM/sim_gpio$1/value" && [ "$level_" != "$2" ]; do
        left=$((left - 1))
        [ $left -gt 0 ] || { failed=1; echo "FAIL  line $1 does not come to $2"; return; }
        rest 0.01
    done
}

# Waits for a line in a file, the so-manieth [1], for at most a minute.
until_said() {
    local left=600
    until [ -e "$1" ] && [ "$(grep -c -- "$2" "$1")" -ge "${3:-1}" ]; do
        left=$((left - 1))
        [ $left -gt 0 ] || { failed=1; echo "FAIL  $1 never says '$2':"; cat "$1"; return; }
        rest 0.1
    done
}

# Starts the central and a relay, with badge 7 for Asha and 8 for Ben, and lets go of every line.
site() {
    local pull_
    for pull_ in $SIM/sim_gpio*/pull; do echo pull-down >$pull_; done
    export TWINKLE_DB=/tmp/twinkle.db TWINKLE_TIMEZONE=UTC TWINKLE_CONFIG=/dev/null
    # What a relay keeps is for one central, and this is a new one.
    export TWINKLE_RELAY_SPOOL=/tmp/relay.db
    rm -f $TWINKLE_RELAY_SPOOL*
    $BIN central init >/dev/null 2>&1
    $BIN employee add Asha --twinklet 7 --joined 1970-01-01 >/dev/null 2>&1
    $BIN employee add Ben --twinklet 8 --joined 1970-01-01 >/dev/null 2>&1
    $BIN central --listen 127.0.0.1:0 >/tmp/central 2>/tmp/central.log & central=$!
    until_said /tmp/central 'listening on'
    start_relay 0
}

# start_relay PORT
start_relay() {
    $BIN relay site --listen "127.0.0.1:$1" --central "$(sed -n 's/listening on //p' /tmp/central)" \
        >/tmp/relay 2>/tmp/relay.log & relay=$!
    until_said /tmp/relay 'listening on'
    until_said /tmp/relay.log 'connected to the central'
    relay_address=$(sed -n 's/listening on //p' /tmp/relay)
}

# Starts a door with these flags; what is written to descriptor 3 is flashed.
door() {
    rm -f /tmp/flashes
    mkfifo /tmp/flashes
    $BIN door lab --relay "$relay_address" "$@" </tmp/flashes >/tmp/door 2>/tmp/door.log & door=$!
    exec 3>/tmp/flashes
}

# Each with a code of its own, which nobody looks at: one badge read again within a second is one flash.
flashed=0
flash() { flashed=$((flashed + 1)); printf '%s:%06d\n' "$1" $flashed >&3; }

# Ends the door with a signal, and waits for it.
end_door() {
    kill -"${1:-TERM}" $door
    wait $door
    ended=$?
    exec 3>&-
}

# How many events of that kind are in the central's log.
events() { $BIN report events --last 1000 --format csv 2>/dev/null | tr -d '\r' | grep -c -- ",$1\$"; }

# Waits until the central's log has so many of that kind.
until_events() {
    local left=20
    until [ "$(events "$1")" -ge "$2" ]; do
        left=$((left - 1))
        [ $left -gt 0 ] || break
        rest 0.5
    done
    expect "the central's log has $2 '$1'" "$(events "$1")" "$2"
}

# The end of a script: its verdict, and nothing left behind.
done_with() {
    kill $central $relay $door 2>/dev/null
    wait
    rm -f /tmp/*
    [ $failed = 0 ] || echo "FAIL  $1"
    exit $failed
}
