#!/bin/sh
# twinkle's main job in a minute: a central and a relay, three employees, a door with a simulated
# lock, the month's register. Everything happens in a temporary folder and is gone afterwards.
#
#   examples/quickstart.sh [FOLDER OF THE BINARY]      (default: twinkle is on the PATH)
set -eu

[ $# -eq 0 ] || PATH="$(cd "$1" && pwd):$PATH"
command -v twinkle >/dev/null || { echo "no twinkle on the PATH; try 'make demo'" >&2; exit 1; }
columns=$(stty size 2>/dev/null </dev/tty | cut -d' ' -f2) || columns=
folder=$(mktemp -d)
cd "$folder"
# Nothing of the user's own: the database lies in this folder, where all roles look for it.
for name in $(env | sed -n 's/^\(TWINKLE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export XDG_DATA_HOME="$folder" TWINKLE_CONFIG=/dev/null TWINKLE_LOG=warn COLUMNS="${columns:-80}"

central='' relay='' done=''
finish() {
    for process in $relay $central; do kill "$process" 2>/dev/null && wait "$process" || :; done
    if [ -z "$done" ]; then
        printf '\nThe demo failed. What the servers said:\n' >&2
        cat "$folder"/*.log >&2 || :
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { echo && printf '# %s\n' "$@"; }

# Shows a command, runs it, shows what it printed; fails unless it exits with the code that is
# expected. The output stays in the file "result" for expect.
try() {
    wanted=$1 command=$2 code=0
    printf '$ %s\n' "$command"
    eval "$command" >result 2>&1 || code=$?
    cat result
    [ "$code" = "$wanted" ] || { echo "exit code $code instead of $wanted" >&2; exit 1; }
}

# Fails unless the last result has exactly so many lines that match.
expect() {
    found=$(grep -c -e "$2" result) || :
    [ "$found" = "$1" ] || { echo "$found instead of $1 lines match '$2'" >&2; exit 1; }
}

# Starts a server, shows its command, and sets $address once it listens.
serve() {
    printf '$ %s &\n' "$2"
    : >"$1.out"
    eval "exec $2" >"$1.out" 2>"$1.log" &
    server=$!
    tries=0
    until address=$(sed -n 's/^listening on //p' "$1.out") && [ -n "$address" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
            echo "$1 does not start" >&2
            exit 1
        fi
        sleep 0.05
    done
    cat "$1.out"
}

say 'The central decides and stores; the relay connects a site to it.'
serve central 'twinkle central --listen 127.0.0.1:0'
central=$server
serve relay "twinkle relay --listen 127.0.0.1:0 --central $address"
relay=$server door="twinkle door lab --relay $address --open-for 1s"

say 'Three employees, each with a badge. One is suspended.'
try 0 "twinkle employee add 'Asha Rao' --twinklet 7"
try 0 "twinkle employee add 'Ravi Kumar' --twinklet 8"
try 0 "twinkle employee add 'Zoë Müller' --twinklet 9"
try 0 "twinkle employee suspend 'Ravi Kumar'"
expect 1 '^suspended 2: Ravi Kumar$'

say 'Flashes at a door with a simulated lock: valid (held up for two readings: one flash),' \
    'suspended, unknown, and a packet of the old plain-text system for badge 9.'
try 0 "printf '%s\\n' 7 7 8 99 '1*9*02/01/2022' | $door"
expect 1 '^twinklet 7: open, Asha Rao$'
expect 1 '^twinklet 8: .*suspended'
expect 1 '^twinklet 99: .*unknown-twinklet'
expect 1 '^twinklet 9: open, Zoë Müller$'
expect 2 '^unlocked for 1 s$'
expect 1 '^locked$'

say 'One flash for a script: exit code 0 is open, 1 is not.'
try 0 "$door --flash 7; echo exit code \$?"
expect 1 '^exit code 0$'
try 0 "$door --flash 99; echo exit code \$?"
expect 1 '^exit code 1$'

say "This month's register, and the events as they are stored."
try 0 'twinkle report --month'
expect 2 '   1  0$'
expect 1 ' Ravi Kumar .*   0  0$'
try 0 'twinkle report events'
expect 3 'open$'
expect 2 'unknown-twinklet$'
expect 1 'suspended$'

say 'Everything stops cleanly.'
try 0 "kill $relay $central && wait $relay && wait $central"
done=yes
