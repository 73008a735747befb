# Contact, exit button, fire and tamper: what they do at the door and to the central's log, also
# while the relay is away.
. ./lib.sh
lock=17 contact=23 button=24 fire=25 tamper=26 green=5 red=6 buzzer=13
site
pull $button up

door --lock GPIO$lock --contact GPIO$contact --exit-button GPIO$button,active-low --fire GPIO$fire \
    --tamper GPIO$tamper --held-after 4s --green GPIO$green --red GPIO$red --buzzer GPIO$buzzer
until_said /tmp/door.log 'connected to the relay'
until_said /tmp/door.log 'tamper input: left alone'

# One passage uses up one Open.
flash 7
until_level $lock 1; opened=$(tick)
until_level $green 1
pull $contact up
until_said /tmp/door.log 'contact: open' 1
pull $contact down
until_level $lock 0
between "it locks behind who went through" $(($(tick) - opened)) 0 1500
until_level $green 0
until_events door-opened 1

# A second person's flash keeps it open.
flash 7
until_level $lock 1
pull $contact up
until_said /tmp/door.log 'contact: open' 2
flash 8; second=$(tick)
until_said /tmp/door 'twinklet 8: open'
pull $contact down
until_said /tmp/door.log 'contact: shut' 3
expect "it stays for the second person" "$(level $lock)" 1
until_level $lock 0
between "for that one's full time" $(($(tick) - second)) 4900 5300
until_events not-opened 0

# Bounce: 40 edges in some 30 ms are one opening.
flash 7
until_level $lock 1
began=$(tick)
for edge in $(seq 20); do echo pull-up >$SIM/sim_gpio$contact/pull; echo pull-down >$SIM/sim_gpio$contact/pull; done
echo pull-up >$SIM/sim_gpio$contact/pull
echo "      40 edges took $(($(tick) - began)) ms"
until_said /tmp/door.log 'contact: open' 3
sleep 1
expect "bounce is one opening" "$(grep -c 'contact: open' /tmp/door.log)" 3
until_events door-opened 3

# Held: 4 s after it was opened.
until_said /tmp/door.log 'WARN.*door-held'
until_level $buzzer 1
pull $contact down
until_said /tmp/door.log 'INFO.*door-held-over'
sleep 1
expect "the buzzer is quiet again" "$(level $buzzer)" 0
until_events door-held 1
until_events door-held-over 1

# Forced.
sleep 2
pull $contact up
until_said /tmp/door.log 'WARN.*door-forced'
until_level $red 1
expect "a forced door stays locked" "$(level $lock)" 0
pull $contact down
until_events door-forced 1

# Tamper.
pull $tamper up
until_said /tmp/door.log 'WARN.*tamper'
pull $tamper down
until_events tamper-over 1

# With the relay away: refused at once, but the button and the fire alarm work, and are kept.
kill $relay
until_said /tmp/door.log 'lost the relay'
flash 7; asked=$(tick)
until_said /tmp/door "don't open, central-unreachable"
between "refused at once without a relay" $(($(tick) - asked)) 0 500
until_level $red 1
pull $button down; pressed=$(tick)
until_level $lock 1
between "the button unlocks without a relay" $(($(tick) - pressed)) 0 150
pull $button up
until_level $lock 0
pull $fire up
until_level $lock 1
sleep 60
expect "a fire unlocks until it clears" "$(level $lock)" 1
pull $contact up
sleep 10
pull $fire down
until_level $lock 0
pull $contact down
until_said /tmp/door.log 'contact: shut' 6
expect "no alarm meanwhile" "$(grep -c 'WARN.*door-' /tmp/door.log)" 2
start_relay "${relay_address##*:}"
until_events exit-button 1
until_events fire 1
until_events fire-over 1
flash 7
until_level $lock 1
end_door
expect "it ends locked and dark" "$(level $lock)$(level $green)$(level $red)$(level $buzzer)" 0000
$BIN report events --last 100 2>/dev/null
expect "the central's log has nothing twice" "$($BIN report events --last 1000 --format csv 2>/dev/null | wc -l) lines" \
    "$($BIN report events --last 1000 --format csv 2>/dev/null | sort -u | wc -l) lines"
done_with inputs
