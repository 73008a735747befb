# The lock: what the line does for flashes, at every end of the door, and what is in the way.
. ./lib.sh
lock=17
site

expect "the line is low before" "$(level $lock)" 0
door --lock "$(basename $CHIP):$lock"
until_said /tmp/door.log 'connected to the relay'
expect "it is low at the start" "$(level $lock)" 0
flash 7
until_level $lock 1; opened=$(tick)
until_level $lock 0
between "a valid flash unlocks for 5 s" $(($(tick) - opened)) 4900 5100
flash 99
until_said /tmp/door "don't open, unknown-twinklet"
expect "an invalid one does not" "$(level $lock)" 0

flash 7
until_level $lock 1; opened=$(tick)
sleep 3
flash 8
until_level $lock 0
between "a second makes it longer" $(($(tick) - opened)) 7900 8200

$BIN door other --relay "$relay_address" --lock GPIO$lock >/tmp/busy 2>&1
expect "a line in use ends with 4" $? 4
expect "and one line names who" "$(grep -c "^error: .*:$lock (GPIO$lock) is in use as an output, by 'twinkle\[$door\] lab'" /tmp/busy)" 1

for signal in TERM HUP INT QUIT USR1; do
    flash 7
    until_level $lock 1
    end_door $signal
    expect "SIG$signal locks" "$(level $lock) $ended" "0 0"
    door --lock GPIO$lock
    until_said /tmp/door.log 'connected to the relay'
done

flash 7
until_level $lock 1
end_door KILL
$BIN door lab --lock GPIO$lock --relock >/tmp/relock 2>&1
expect "after kill -9, --relock locks" "$? $(level $lock)" "0 0"
expect "and says so" "$(grep -c '^locked: the lock at .* locked when low' /tmp/relock)" 1

# With --active-low, as with a magnet, the line is high while it is locked.
pull $lock up
for flag in --active-low --fail-safe; do
    door --lock simulated:$lock $flag
    until_said /tmp/door.log 'connected to the relay'
    expect "$flag: high at the start" "$(level $lock)" 1
    flash 7
    until_level $lock 0; opened=$(tick)
    until_level $lock 1
    between "$flag: low for 5 s" $(($(tick) - opened)) 4900 5100
    pull $lock down
    flash 99
    until_said /tmp/door "don't open, unknown-twinklet"
    expect "$flag: high after" "$(level $lock)" 1
    flash 7
    until_level $lock 0
    pull $lock up
    end_door
    expect "$flag: high after SIGTERM" "$(level $lock)" 1
done
expect "--fail-safe says what a power cut does" "$(grep -c 'WARN.*--fail-safe: a power cut unlocks' /tmp/door.log)" 1
pull $lock down

# What there is not.
for case in "GPIO77 3 did you mean" "gpiochip7:1 3 did you mean 'gpiochip" "gpiochip0:32 3 has lines 0 to 31" \
    "simulatde:3 3 did you mean 'simulated'?" "GPIO17,up 2 write a line as"; do
    set -- $case; line=$1 code=$2; shift 2
    $BIN door lab --lock "$line" --relock >/tmp/none 2>&1
    expect "--lock $line ends with $code" $? "$code"
    expect "and says: $*" "$(grep -c -- "$*" /tmp/none) $(wc -l </tmp/none)" "1 1"
done
chmod 600 $CHIP
adduser -D -H nobody2 2>/dev/null || echo 'nobody2:x:1000:1000::/:/bin/sh' >>/etc/passwd
su nobody2 -c "$BIN door lab --lock GPIO$lock --relock" >/tmp/denied 2>&1
expect "without permission it ends with 4" $? 4
expect "and says what to do" "$(grep -c '^error: no permission to use /dev/gpiochip.*usermod -aG gpio' /tmp/denied)" 1

done_with lock
