# Shared by the scripts in this folder: where things are, how to complain. Sourced, not run.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${IPSETAUDIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipsetaudit}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit "${code:-1}"; }

# The names of all kernels of the matrix, or the row of one: suite, release, packages.
kernel_names() { awk '!/^#/ && NF { print $1 }' "$here/kernels"; }
kernel_row() { awk -v name="$1" '!/^#/ && $1 == name { print $2, $3, $4 }' "$here/kernels"; }

# Where Debian's archive is, as the system's own apt has it or DEBIAN_MIRROR says.
mirror() {
    local uri
    uri=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)}
    uri=${uri:-$(apt-get indextargets --no-release-info --format '$(REPO_URI)' |
        grep debian | grep -v security | head -n 1)}
    [[ -n $uri ]] || die "apt knows no Debian archive here; name one in DEBIAN_MIRROR"
    echo "$uri"
}
