#!/bin/bash
# A Debian package, installed, used, upgraded, removed and purged for real, in a root of its own.
#
#   deb.sh packages          install the Debian packages that this needs; as root
#   deb.sh missing           succeed if some of them are missing
#   deb.sh root              fetch the bare root, if it is not there; as root
#   deb.sh run PACKAGE.deb   play it through; as root. DEB_CACHE names the folder where the bare root
#                            is kept
set -euo pipefail
export LC_ALL=C

case ${1:-} in
packages)
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends debootstrap systemd >/dev/null
    exit ;;
missing) ! command -v debootstrap >/dev/null; exit ;;
root) ;;
run) package=$(realpath "$2") ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

say() { echo "deb: $*"; }
die() { echo "deb: $*" >&2; exit 1; }

# shellcheck source=tests/deb/root.sh
. "$(dirname "$0")/root.sh"
fetch root adduser var/cache/apt var/lib/apt/lists
if [ "$1" = root ]; then exit; fi

work=$(mktemp -d)
root=$work/root
finish() {
    local code=$?
    [ -z "${central:-}" ] || kill "$central" 2>/dev/null || :
    wait 2>/dev/null || :
    [ $code -eq 0 ] || tail -n 20 "$work"/*.log >&2 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
mkdir "$root"
tar -C "$root" -xf "$cache/root.tar"
cp "$package" "$root/tmp/first.deb"

inside() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
twinkle() { inside runuser -u twinkle -- twinkle "$@"; }
serve() {
    # Without a shell or another program between us and it, which a signal would end instead.
    chroot --userspec=twinkle:twinkle "$root" /usr/bin/twinkle central --listen 127.0.0.1:0 \
        >"$work/central.out" 2>"$work/central.log" &
    central=$!
    for _ in $(seq 200); do
        if grep -q '^listening on' "$work/central.out"; then break; fi
        sleep 0.05
    done
    address=$(sed -n 's/^listening on //p' "$work/central.out")
    [ -n "$address" ] || die "the central does not come up"
}
stop() { kill "$central"; wait "$central" || die "the central ended with $?"; central=; }

say "installing"
inside dpkg -i /tmp/first.deb >"$work/dpkg.log" 2>&1 || die "it does not install"
owner=$(inside stat -c '%U:%G %a' /var/lib/twinkle)
[ "$owner" = 'twinkle:twinkle 2770' ] || die "/var/lib/twinkle is $owner"
inside dpkg-query -W -f '${Conffiles}\n' twinkle | grep -q ' /etc/twinkle/twinkle.toml ' || die "no conffile"
if ls "$root"/etc/systemd/system/*.wants/twinkle-* >/dev/null 2>&1; then die "something is enabled"; fi
inside twinkle --version
for file in usr/share/man/man1/twinkle-door.1.gz usr/lib/systemd/system/twinkle-door@.service \
    usr/lib/udev/rules.d/60-twinkle.rules usr/share/bash-completion/completions/twinkle \
    usr/share/doc/twinkle/examples/twinkle.toml usr/share/doc/twinkle/copyright; do
    [ -s "$root/$file" ] || die "no $file"
done
if command -v systemd-analyze >/dev/null; then
    # A bare root lacks what the units wait for; what is said about ours is what counts.
    for unit in twinkle-central.service twinkle-relay.service twinkle-backup.timer; do
        said=$(systemd-analyze verify --man=no --root="$root" "$unit" 2>&1 | grep "$unit:[0-9]" || :)
        [ -z "$said" ] || die "$said"
    done
fi

say "using it"
code=0; inside twinkle employee list >/dev/null 2>"$work/early.log" || code=$?
[ $code = 3 ] || die "without a database it ends with $code, not 3"
twinkle central init 2>/dev/null
serve
twinkle employee add 'Asha Rao' --twinklet 7 >/dev/null 2>&1
inside twinkle door lab --relay "$address" --flash 7 >/dev/null || die "badge 7 does not open"
twinkle report --month 2>/dev/null | grep -q 'Asha Rao' || die "she is not on the register"
stop
echo '# ours' >> "$root/etc/twinkle/twinkle.toml"

say "upgrading"
dpkg-deb -R "$package" "$work/next" 2>/dev/null
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/next" "$root/tmp/next.deb" >/dev/null
inside dpkg -i /tmp/next.deb >"$work/dpkg.log" 2>&1 </dev/null || die "it does not upgrade"
inside dpkg-query -W -f '${Version}' twinkle | grep -q next || die "the version is still the old one"
grep -q '^# ours' "$root/etc/twinkle/twinkle.toml" || die "the settings are gone"
serve
inside twinkle door lab --relay "$address" --flash 7 >/dev/null || die "badge 7 does not open any more"
stop

say "removing"
inside dpkg -r twinkle >"$work/dpkg.log" 2>&1 || die "it does not go"
[ ! -e "$root/usr/bin/twinkle" ] || die "the program is still there"
[ -s "$root/var/lib/twinkle/twinkle.db" ] || die "the database is gone"
[ -s "$root/etc/twinkle/twinkle.toml" ] || die "the settings are gone"
inside dpkg -i /tmp/first.deb >"$work/dpkg.log" 2>&1 || die "it does not come back"
twinkle employee list 2>/dev/null | grep -q 'Asha Rao' || die "what was stored did not come back"

say "purging"
inside dpkg -P twinkle >"$work/dpkg.log" 2>&1 || die "it does not purge"
for rest in var/lib/twinkle etc/twinkle usr/share/doc/twinkle; do
    [ ! -e "$root/$rest" ] || die "$rest is left"
done
if inside getent passwd twinkle >/dev/null; then die "the user is left"; fi
say "all as it should be"
