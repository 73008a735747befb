#!/bin/bash
# Runs a program against a real kernel's GPIO chip, in a throw-away virtual machine.
#
#   vm.sh packages                install the Debian packages that this needs; as root
#   vm.sh missing                 succeed if some of them are missing
#   vm.sh prepare                 fill the cache; a run does it too, if need be
#   vm.sh run BINARY SCRIPT...    boot, run the scripts one after another, exit as they do
#
# The machine is a stock Debian 12 kernel under qemu's software emulation, so that neither KVM nor a
# GPIO chip is needed. Debian builds no driver that simulates a chip: the kernel's own gpio-sim is
# built as a module for it, from Debian's sources of the very same version. The guest's clock counts
# instructions and skips idle time: sleeps cost no real time, and a busy host changes no timing.
#
# A script finds in there: $BIN the binary; $CHIP the device of a chip with 32 lines, named GPIO0 to
# GPIO31 and labelled "simulated"; $SIM its folder in sysfs, with sim_gpio17/value to read a line and
# sim_gpio17/pull to move it; busybox's commands.
#
# Exit code: the scripts'; 124 if the machine ran out of time, 125 if there is no machine.
# VM_CACHE names the cache's folder, VM_TIMEOUT the longest run in real seconds.
set -euo pipefail
export LC_ALL=C

packages="qemu-system-x86 busybox-static cpio xz-utils binutils gcc-12 make libc6-dev libelf1"
cache=$(realpath -m "${VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/twinkle-vm}")
series=6.1

say() { echo "vm: $*" >&2; }
die() { say "$*"; exit 125; }

missing() {
    # shellcheck disable=SC2086
    ! dpkg-query -W -f '${Status}\n' $packages 2>/dev/null | awk '!/ok installed/ {bad=1} END {exit bad || NR < 9}'
}

install_packages() {
    apt-get -qq update
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends $packages >/dev/null
}

# Fills the cache: vmlinux, unpacked because an emulated machine takes seconds over that, and modules.
prepare() {
    [ -f "$cache/ready" ] && return
    mkdir -p "$(dirname "$cache")"
    # Built aside, and moved in only when it is whole.
    local work; work=$(mktemp -d "$cache.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    local image release version
    image=$(apt-cache depends linux-image-amd64 | sed -n "s/.*Depends: \(linux-image-$series.*\)/\1/p" | head -1)
    [ -n "$image" ] || die "no Debian $series kernel is on offer; on Debian 12, run: $0 packages"
    release=${image#linux-image-}
    version=$(apt-cache show "$image" | sed -n 's/^Version: //p' | head -1)
    say "fetching the packages of the kernel $release, about 230 MB, once"
    # The headers take a newer kbuild too, and an update may bring that alone at first.
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$image=$version" \
        "linux-source-$series=$version" "linux-headers-$release=$version" \
        "linux-headers-${release%-amd64}-common=$version" "linux-kbuild-$series")
    mkdir "$work/root" "$work/modules" "$work/out"
    local deb
    for deb in "$work"/linux-{image,headers,kbuild}*.deb; do dpkg-deb -x "$deb" "$work/root"; done
    # The kernel is the xz stream inside vmlinuz; bytes follow it, about which xz complains.
    local at
    at=$(grep -obUaPm1 '\xFD7zXZ\x00' "$work/root/boot/vmlinuz-$release" | head -1 | cut -d: -f1)
    tail -c "+$((at + 1))" "$work/root/boot/vmlinuz-$release" | xz -qdc >"$work/out/vmlinux" 2>/dev/null || true
    readelf -h "$work/out/vmlinux" >/dev/null || die "the kernel's image cannot be unpacked"
    dpkg-deb --fsys-tarfile "$work"/linux-source-*.deb | tar -xO "./usr/src/linux-source-$series.tar.xz" |
        tar -xJ -C "$work/modules" --transform 's,.*/,,' \
            "linux-source-$series"/{drivers/gpio/gpio-sim.c,drivers/gpio/gpiolib.h,kernel/irq/irq_sim.c}
    # irq_sim.c is never a module upstream: that takes a licence, and irq_to_desc(), which the kernel
    # does not export, in terms of what it does. Neither source is changed.
    cat >"$work/modules/shim.h" <<'SHIM'
#include <linux/module.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#define irq_to_desc(n) irq_data_to_desc(irq_get_irq_data(n))
MODULE_LICENSE("GPL");
SHIM
    cat >"$work/modules/Kbuild" <<'KBUILD'
obj-m := irq_sim.o gpio-sim.o
CFLAGS_irq_sim.o := -include $(src)/shim.h
KBUILD
    # The headers' makefile names an absolute path.
    local headers=$work/root/usr/src/linux-headers-$release
    echo "include $work/root/usr/src/linux-headers-${release%-amd64}-common/Makefile" >"$headers/Makefile"
    make -s -C "$headers" M="$work/modules" modules >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; die "the modules do not build"; }
    cp "$work"/modules/{irq_sim,gpio-sim}.ko "$work/root/lib/modules/$release/kernel/fs/configfs/configfs.ko" "$work/out/"
    strip -g "$work"/out/{irq_sim,gpio-sim}.ko
    echo "$release $version" >"$work/out/ready"
    rm -rf "$cache"
    mv -T "$work/out" "$cache"
    rm -rf "$work"
    trap - EXIT
}

run() {
    local binary=$1; shift
    local work root library code=0
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    root=$work/root
    mkdir -p "$root"/{bin,proc,sys,dev,tmp,lib/modules,etc,root}
    cp /bin/busybox "$root/bin/"
    cp "$cache"/*.ko "$root/lib/modules/"
    cp "$@" "$root/root/"
    strip -o "$root/bin/twinkle" "$binary"
    for library in $(ldd "$binary" | grep -o '/[^ ]*'); do install -D "$library" "$root$library"; done
    cat >"$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev; mount -t tmpfs t /tmp
exec </dev/null >/dev/ttyS0 2>&1
stty -F /dev/ttyS0 -opost
ip link set lo up
for module in configfs irq_sim gpio-sim; do insmod /lib/modules/\$module.ko; done
mount -t configfs c /sys/kernel/config
chip=/sys/kernel/config/gpio-sim/chip
mkdir \$chip \$chip/bank
echo 32 >\$chip/bank/num_lines
echo simulated >\$chip/bank/label
for line in \$(seq 0 31); do
    mkdir \$chip/bank/line\$line
    echo GPIO\$line >\$chip/bank/line\$line/name
done
echo 1 >\$chip/live
export BIN=/bin/twinkle CHIP=/dev/\$(cat \$chip/bank/chip_name)
export SIM=/sys/devices/platform/\$(cat \$chip/dev_name)/\$(cat \$chip/bank/chip_name)
code=125
if [ -c "\$CHIP" ]; then
    code=0
    cd /root
    for script in $(printf '%s ' "${@##*/}"); do
        case \$script in lib.sh|vm.sh) continue ;; esac
        echo "-- \$script"
        sh ./\$script || code=\$?
    done
fi
echo \$code >/dev/ttyS1
sync
poweroff -f
INIT
    chmod 755 "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initrd"
    : >"$work/code"
    # rdrand: without it, the first random number waits for a second.
    timeout "${VM_TIMEOUT:-600}" qemu-system-x86_64 -accel tcg -icount shift=3,sleep=off \
        -cpu qemu64,+rdrand -m 512 -no-reboot -nodefaults -display none \
        -serial stdio -serial "file:$work/code" -kernel "$cache/vmlinux" -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1" </dev/null || code=$?
    [ "$code" != 124 ] || { say "no end in time"; exit 124; }
    code=$(tr -dc 0-9 <"$work/code")
    [ -n "$code" ] || die "the machine ended without a word"
    exit "$code"
}

case ${1:-} in
    packages) install_packages ;;
    missing) missing ;;
    prepare) prepare ;;
    run) [ $# -ge 3 ] || die "usage: $0 run BINARY SCRIPT..."; shift; prepare; run "$@" ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 125 ;;
esac
