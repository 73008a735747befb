# A magnet on an adapter that is pulled out while the door is locked, and put back: it has power again.
. ./lib.sh
lock=17
site
door --lock simulated:$lock --fail-safe
until_said /tmp/door.log 'connected to the relay'
expect "the magnet holds" "$(level $lock)" 1
busy() { awk '{print $14 + $15}' /proc/$door/stat; }
before=$(busy)
sleep 120
between "a door that is looked after is idle" $((($(busy) - before) * 10)) 0 120

pull_out
until_said /tmp/door.log 'ERROR lost the fail-safe lock at'
sleep 30
expect "it is said once" "$(grep -c 'ERROR' /tmp/door.log)" 1
put_back
until_said /tmp/door.log 'locked when high, is back and locked'
expect "the magnet holds again, though nobody flashed" "$(level $lock)" 1
sleep 10
expect "and that is said once" "$(grep -c 'is back' /tmp/door.log)" 1

# Pulled and put back between two looks, whoever looks.
for time in 0.1 1 3; do
    pull_out
    rest $time
    put_back
    until_level $lock 1
done
echo "ok    however long it was gone"
sleep 3
flash 7
until_level $lock 0
until_level $lock 1
echo "ok    the door works again"
end_door
cat /tmp/door.log
done_with pulled
