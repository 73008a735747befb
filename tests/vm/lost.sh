# A chip that is taken away while a door uses it, as a USB adapter may be, and given back.
. ./lib.sh
lock=17 fire=25
site
door --lock simulated:$lock --fire simulated:$fire
until_said /tmp/door.log 'fire input: no fire'
pull $fire up
until_level $lock 1

pull_out
until_said /tmp/door.log 'ERROR lost the fire input'
flash 7
until_said /tmp/door 'twinklet 7: open'
until_said /tmp/door.log 'ERROR the lock does not'
busy() { awk '{print $14 + $15}' /proc/$door/stat; }
before=$(busy)
sleep 60
between "without its chip the door is idle" $((($(busy) - before) * 10)) 0 600
expect "and says little" "$(wc -l </tmp/door.log | awk '{print ($1 < 25)}')" 1

put_back
until_said /tmp/door.log 'the fire input at .* is back'
until_said /tmp/door.log 'fire-over'
expect "the lock is locked" "$(level $lock)" 0
sleep 3
flash 8
until_level $lock 1
until_level $lock 0
echo "ok    the door works again"
end_door
cat /tmp/door.log
done_with lost
