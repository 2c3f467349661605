# Shared by the scripts whose actors are shells under other names: a folder for them, gone at the end. Sourced, not run.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
bash=$(command -v bash)

# Runs the script on standard input as a program of that name.
as() {
    [[ -x $stage/$1 ]] || cp "$bash" "$stage/$1"
    "$stage/$1" -s
}
