#!/bin/bash
# The units of a Debian package under a live systemd: a throw-away virtual machine boots a Debian of
# its own with the package installed, and check.sh in there sees that they do what they promise.
#
#   boot.sh run PACKAGE.deb   as root, with what deb.sh and vm.sh install. DEB_CACHE names the folder
#                             where the bare root is kept, VM_CACHE that of the kernel
#
# Exit code: 0 if all is well; 124 if the machine ran out of time (VM_TIMEOUT, in seconds).
set -euo pipefail
export LC_ALL=C
here=$(dirname "$(realpath "$0")")
[ "${1:-} ${2:+deb}" = 'run deb' ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
package=$(realpath "$2")

say() { echo "boot: $*"; }
die() { echo "boot: $*" >&2; exit 1; }

# shellcheck source=tests/deb/root.sh
. "$here/root.sh"
kernel=$(realpath -m "${VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/twinkle-vm}")/vmlinux
# All of it has to fit into the machine's memory.
fetch booted adduser,systemd,systemd-sysv var/cache/apt var/lib/apt/lists usr/share/doc usr/share/locale usr/share/man

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"
tar -C "$root" -xf "$cache/booted.tar"
cp "$package" "$root/tmp/twinkle.deb"
DEBIAN_FRONTEND=noninteractive chroot "$root" dpkg -i /tmp/twinkle.deb >"$work/log" 2>&1 \
    || { cat "$work/log" >&2; die "it does not install"; }
rm "$root/tmp/twinkle.deb"
install -m 755 "$here/check.sh" "$root/root/check.sh"
cat >"$root/etc/systemd/system/check.service" <<'UNIT'
[Service]
ExecStart=/bin/bash -c '/root/check.sh; echo $? >/dev/ttyS1; exec systemctl poweroff -ff'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
UNIT
chroot "$root" systemctl --quiet enable check.service
chroot "$root" systemctl --quiet mask getty@tty1.service serial-getty@ttyS0.service console-getty.service
(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initrd"
: >"$work/code"
code=0
# Emulated, so that no KVM is needed; the kernel is not to doubt the timer that it then has.
timeout "${VM_TIMEOUT:-900}" qemu-system-x86_64 -accel tcg -cpu max -m 2048 -no-reboot \
    -nodefaults -display none -serial stdio -serial "file:$work/code" -kernel "$kernel" \
    -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 no_timer_check rdinit=/sbin/init systemd.show_status=0" \
    </dev/null || code=$?
[ "$code" != 124 ] || { echo "boot: no end in time" >&2; exit 124; }
code=$(tr -dc 0-9 <"$work/code")
[ "$code" = 0 ] || die "the units do not do what they promise"
say "all as it should be"
