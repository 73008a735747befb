# To be sourced: makes a bare Debian 12 once, as a tarball in the cache.
#
#   fetch NAME PACKAGES [EXCLUDED…]   NAME.tar, with those packages, without those folders
#
# DEB_CACHE names the folder where it is kept. Exits with 125 if it cannot be fetched.
cache=$(realpath -m "${DEB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/twinkle-deb}")

fetch() {
    local tar=$cache/$1.tar packages=$2
    shift 2
    [ ! -f "$tar" ] || return 0
    say "fetching a bare Debian 12 with $packages, once"
    mkdir -p "$cache"
    # Built aside, and moved in only when it is whole.
    local new; new=$(mktemp -d "$cache/new.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$new'" EXIT
    debootstrap --variant=minbase --include="$packages" bookworm "$new/root" >"$cache/log" 2>&1 \
        || { tail -5 "$cache/log" >&2; exit 125; }
    tar -C "$new/root" "${@/#/--exclude=./}" -cf "$new/root.tar" .
    mv "$new/root.tar" "$tar"
    rm -rf "$new"
    trap - EXIT
}
