# door --check: what it finds, beside nothing, beside another program, and beside a running door.
. ./lib.sh
lock=17 contact=23 button=24
site
check() { $BIN door lab --relay "$relay_address" "$@" --check >/tmp/check 2>&1; }
says() { expect "it says: $1" "$(grep -c -- "$1" /tmp/check)" "${2:-1}"; }

pull $button up
check --lock GPIO$lock --contact GPIO$contact --exit-button GPIO$button,active-low --red GPIO6
expect "with all well it ends with 0" $? 0
says '^ok    lock          gpiochip[0-9]*:17 (GPIO17): free, low at rest; low is locked$'
says '^ok    contact       .*: low, shut$'
says '^ok    exit button   .*: high, not pressed$'
says '^ok    relay         .site. at 127.0.0.1:[0-9]* answers in'
expect "it moved nothing" "$(level $lock)" 0
cat /tmp/check

check --lock GPIO$lock --active-low --fire GPIO$button --contact GPIO77
expect "a line that is not there ends it with 3" $? 3
says '^warn  lock .*low at rest; high is locked: unlocked whenever twinkle does not run$'
says '10 kΩ to 3V3, or choose a pin that pulls up'
says '^warn  fire input .*: high, fire$'
says ',active-low behind the line'
says "^FAIL  contact       no GPIO line is called 'GPIO77'$"
says "did you mean 'GPIO"

# One that floats.
(while :; do pull $contact up; rest 0.02; pull $contact down; rest 0.02; done) & noise=$!
check --contact GPIO$contact
kill $noise
pull $contact down
says '^warn  contact .*changed [0-9]* times in half a second$'

# A pulse, which only --pulse makes.
$BIN door lab --relay "$relay_address" --lock GPIO$lock --check --pulse >/tmp/check 2>&1 & pulse=$!
until_level $lock 1; began=$(tick)
until_level $lock 0
between "--pulse unlocks for a second" $(($(tick) - began)) 900 1200
wait $pulse
says 'did it click?'

# Beside a running door, which it finds by its label and asks.
door --lock GPIO$lock --contact GPIO$contact
until_said /tmp/door.log 'connected to the relay'
until_said /tmp/door.log 'contact: shut'
check --lock GPIO$lock --contact GPIO$contact
expect "beside a running door it ends with 0" $? 0
says "^ok    lock .*: held by the running door, process $door, locked now$"
says "^ok    contact .*: held by the running door, process $door, shut$"
flash 7
until_level $lock 1
pull $contact up
until_said /tmp/door.log 'contact: open'
check --lock GPIO$lock --contact GPIO$contact
says "unlocked now$"
says ", open$"
cat /tmp/check

# An input that is an output elsewhere.
$BIN door other --relay "$relay_address" --contact GPIO$lock >/tmp/busy 2>&1
expect "an input that is an output elsewhere ends with 4" $? 4
expect "in one line" "$(grep -c '^error: .* is in use as an output, by' /tmp/busy) $(wc -l </tmp/busy)" "1 1"
$BIN door other --relay "$relay_address" --lock GPIO3 --contact GPIO3 >/tmp/busy 2>&1
expect "two of a door's lines on one end with 3" "$? $(grep -c "two of this door's lines are" /tmp/busy)" "3 1"
end_door
kill $relay
wait $relay
check --lock sim
expect "without a relay it ends with 4" $? 4
says '^warn  lock          simulated: nothing will be unlocked$'
says '^FAIL  relay         127.0.0.1:[0-9]*: '
cat /tmp/check
done_with check
