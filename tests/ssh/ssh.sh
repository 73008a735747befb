#!/bin/bash
# What examples/ssh-tunnel.md says, against a real sshd on this machine's own address.
#
#   ssh.sh packages          install the Debian packages that this needs; as root
#   ssh.sh missing           succeed if some of them are missing
#   ssh.sh run BINARY        play it through
set -euo pipefail
export LC_ALL=C

case ${1:-} in
packages)
    apt-get -qq update
    # Its service is not wanted here: the test starts one of its own.
    ln -sf /dev/null /etc/systemd/system/ssh.service 2>/dev/null || :
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends openssh-server openssh-client bsdutils >/dev/null
    exit ;;
missing) ! { command -v /usr/sbin/sshd && command -v ssh && command -v script; } >/dev/null; exit ;;
run) binary=$(realpath "$2") ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

work=$(mktemp -d)
pids=()
finish() {
    local code=$?
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
    wait 2>/dev/null || :
    [ $code -eq 0 ] || tail -n 20 "$work"/*.log >&2 || :
    rm -rf "$work"
}
trap finish EXIT

say() { echo "ssh: $*"; }
die() { echo "ssh: $*" >&2; exit 1; }
# Waits for a line in a file.
await() {
    for _ in $(seq 400); do
        if grep -q -- "$1" "$2" 2>/dev/null; then return; fi
        sleep 0.05
    done
    die "no '$1' in $2"
}
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
}

# A host whose users find twinkle and its database.
mkdir "$work/bin" "$work/home"
ln -s "$binary" "$work/bin/twinkle"
if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/tunnel"
export TWINKLE_DB=$work/twinkle.db TWINKLE_CONFIG=/dev/null TWINKLE_TIMEZONE=UTC HOME=$work/home
export PATH=$work/bin:$PATH NO_COLOR=1

twinkle central init 2>/dev/null
twinkle central --listen 127.0.0.1:0 >"$work/central.out" 2>"$work/central.log" &
pids+=($!)
await 'listening on' "$work/central.out"
central=$(sed -n 's/^listening on //p' "$work/central.out")

ssh_port=$(free_port)
{
    cat "$work/key.pub"
    echo "restrict,port-forwarding,permitopen=\"$central\",command=\"/bin/false\" $(cat "$work/tunnel.pub")"
} > "$work/authorized"
cat > "$work/sshd_config" <<EOF
ListenAddress 127.0.0.1:$ssh_port
HostKey $work/host
AuthorizedKeysFile $work/authorized
PidFile $work/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
SetEnv PATH=$work/bin:/usr/bin:/bin TWINKLE_DB=$TWINKLE_DB TWINKLE_CONFIG=/dev/null TWINKLE_TIMEZONE=UTC
EOF
/usr/sbin/sshd -D -e -f "$work/sshd_config" 2>"$work/sshd.log" &
pids+=($!)
await 'Server listening' "$work/sshd.log"
echo "[127.0.0.1]:$ssh_port $(cat "$work/host.pub")" > "$work/known"
remote=(-F /dev/null -p "$ssh_port" -o BatchMode=yes -o UserKnownHostsFile="$work/known"
    -o IdentitiesOnly=yes)
on_host() { ssh "${remote[@]}" -i "$work/key" 127.0.0.1 "$@"; }

say "commands, and their exit codes"
on_host "twinkle employee add 'Asha Rao' --twinklet 7" 2>/dev/null | grep -q 'Asha Rao' || die "nobody added"
[ "$(on_host twinkle employee list --format csv 2>/dev/null | tail -1 | cut -d, -f2)" = 'Asha Rao' ] || die "not listed"
code=0; on_host twinkle employee show Nobody >/dev/null 2>&1 || code=$?
[ $code = 3 ] || die "exit code $code for nobody, not 3"
on_host twinkle report --month --format xlsx > "$work/month.xlsx" 2>/dev/null
[ "$(head -c 2 "$work/month.xlsx")" = PK ] || die "the sheet is none"
on_host twinkle report events >/dev/null 2>&1 || die "no events"

say "the relay's way to its central"
near=127.0.0.1:$(free_port)
tunnel() {
    ssh "${remote[@]}" -N -o ExitOnForwardFailure=yes -o ServerAliveInterval=5 \
        -o ServerAliveCountMax=2 -i "$work/tunnel" -L "$near:$central" 127.0.0.1 2>>"$work/tunnel.log" &
    tunnel=$!
    pids+=($tunnel)
}
tunnel
twinkle relay site --listen 127.0.0.1:0 --central "$near" >"$work/relay.out" 2>"$work/relay.log" &
pids+=($!)
await 'listening on' "$work/relay.out"
relay=$(sed -n 's/^listening on //p' "$work/relay.out")
await 'connected to the central' "$work/relay.log"
twinkle door lab --relay "$relay" --flash 7 >/dev/null || die "badge 7 does not open"
code=0; twinkle door lab --relay "$relay" --flash 99 >/dev/null 2>&1 || code=$?
[ $code = 1 ] || die "exit code $code for an unknown badge, not 1"
if ssh "${remote[@]}" -i "$work/tunnel" 127.0.0.1 true 2>/dev/null; then die "the tunnel's key has a shell"; fi

say "the tunnel ends, and comes back"
kill "$tunnel"
await 'lost the central' "$work/relay.log"
code=0; twinkle door lab --relay "$relay" --flash 7 >"$work/refused.log" 2>&1 || code=$?
[ $code != 0 ] || die "a door opened without a central"
tunnel
for _ in $(seq 100); do
    if [ "$(grep -c 'connected to the central' "$work/relay.log")" = 2 ]; then break; fi
    sleep 0.1
done
twinkle door lab --relay "$relay" --flash 7 >/dev/null || die "badge 7 does not open any more"

say "the live view, on a terminal"
mkfifo "$work/keys"
script -qefc "stty rows 30 cols 100; ssh ${remote[*]} -i $work/key -tt 127.0.0.1 twinkle report live" \
    "$work/screen.log" < "$work/keys" >/dev/null &
view=$!
pids+=($view)
exec 4>"$work/keys"
await 'Asha Rao' "$work/screen.log"
printf q >&4
code=0; wait "$view" || code=$?
exec 4>&-
[ $code = 0 ] || die "the view ended with $code"
grep -q $'\e\[?1049h' "$work/screen.log" || die "it took no screen of its own"
grep -q $'\e\[?1049l' "$work/screen.log" || die "it did not give the screen back"

say "the live view, line by line"
on_host twinkle report live > "$work/live.log" 2>/dev/null &
pids+=($!)
# It tells what comes from its own beginning on, which nothing but a flash shows.
for _ in $(seq 50); do
    twinkle door lab --relay "$relay" --flash 7 >/dev/null
    if grep -q 'Asha Rao' "$work/live.log"; then break; fi
    sleep 0.2
done
await 'Asha Rao' "$work/live.log"
say "all as it should be"
