#!/bin/sh
# Three machines that have never met, each a store of its own, on one machine: nothing leaves it.
#
# An author publishes a module and has it run on a picture by a host; a verifier takes the receipt, fetches from the
# host what it names, and runs the job again, while the author is gone. What must be refused is tried as well. Ends
# with 0 if everything came out as it should.
#
#   run.sh [MODULE PICTURE]
#
# The program is $SAMEBIT, or the one in PATH, or what `cargo xtask demo` has built. Module and picture are those of
# `cargo xtask demo`, if none are given.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
samebit=${SAMEBIT:-$(command -v samebit || echo "$target/debug/samebit")}
module=${1:-$target/plugins/image-filter.wasm}
picture=${2:-$target/demo/photo.png}
# How long to wait for a program to be up, in seconds.
patience_s=60
# Only what is said here decides what happens.
unset SAMEBIT_STORE SAMEBIT_LOG_FORMAT SAMEBIT_HOST_CONFIG

fail() { echo "three-machines: $*" >&2; exit 1; }

for file in "$samebit" "$module" "$picture"; do
    [ -f "$file" ] || fail "$file is missing: run \`cargo xtask demo\` first"
done

desk=$(mktemp -d)
host_pid='' author_pid=''
stop() { [ -z "$1" ] || { kill "$1" 2>/dev/null && wait "$1" 2>/dev/null; } || true; }
clean() { stop "$author_pid"; stop "$host_pid"; rm -rf "$desk"; }
trap clean EXIT
trap 'exit 130' INT TERM HUP

# Standard output, also where a command's own goes elsewhere.
exec 3>&1
say() { printf '\n== %s\n' "$*"; }
show() { who=$1; shift; echo "$who\$ samebit $*" | sed "s|$desk/||g" >&3; }
# The program as one of the machines, whose name is its store's.
as() { show "$@"; who=$1; shift; "$samebit" --store "$desk/$who" "$@"; }
# The same in the background. It takes the place of the shell that would wait for it, so that `$!` is its own id.
serve() { show "$@"; who=$1; shift; exec "$samebit" --store "$desk/$who" "$@" 3>&-; }
# Changes one byte of a file, whatever it is.
tamper() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf '%03o' $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
# Waits for a line of JSON in a program's answer, and gives its value.
answer() {
    waited_s=0
    until value=$(sed -n "s/^ *\"$2\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p" "$1") && [ -n "$value" ]; do
        [ "$waited_s" -lt "$patience_s" ] || fail "no $2 in $1 after $patience_s s"
        sleep 1
        waited_s=$((waited_s + 1))
    done
    echo "$value"
}
# Runs a command that must end with the code that is given, and keeps what it says.
ends_with() {
    wanted=$1; shift
    code=0
    "$@" >"$desk/said" 2>&1 || code=$?
    cat "$desk/said"
    [ "$code" -eq "$wanted" ] || fail "exit code $code instead of $wanted"
}
said() { grep -q -e "$1" "$desk/said" || fail "'$1' was not said"; }

say 'the author makes a key, and the host takes jobs of that key alone'
as author key create
author=$(as author key export)
serve host host --offline --allow "$author" --json >"$desk/host.json" 2>"$desk/host.log" &
host_pid=$!
host=$(answer "$desk/host.json" ticket)

say 'the author signs the module and publishes it; the host gets it by its ticket'
serve author publish "$module" --offline --publication "$desk/filter.pub" --json >"$desk/published.json" &
author_pid=$!
ticket=$(answer "$desk/published.json" ticket)
as host fetch "$ticket"
stop "$author_pid"
author_pid=''

say 'a stranger may not have anything run'
ends_with 2 as stranger submit "$module" --offline --host "$host" --input "image=$picture" --arg edges
said 'submitters.allow'

say 'the author has the picture filtered; what comes back is what the receipt signs'
as author submit "$module" --offline --host "$host" --publication "$desk/filter.pub" --input "image=$picture" \
    --arg edges --out "$desk/out" --receipt "$desk/edges.receipt"
as author run "$module" --input "image=$picture" --arg edges --out "$desk/own" --receipt "$desk/own.receipt"
cmp "$desk/out/image.png" "$desk/own/image.png" || fail 'the host made another picture than the author'

say 'the author is gone'
rm -rf "$desk/author" "$desk/own"

say 'the verifier has the receipt and nothing else; it asks the host for the rest'
ends_with 0 as verifier verify "$desk/edges.receipt" --offline --from "$host" --outputs "$desk/out"
said '^match'

say 'a receipt that was tampered with is none'
cp "$desk/edges.receipt" "$desk/forged.receipt"
tamper "$desk/forged.receipt" 20
ends_with 2 as verifier verify "$desk/forged.receipt" --offline --from "$host"

say 'and a picture that was tampered with is a mismatch'
cp "$desk/out/image.png" "$desk/forged.png"
tamper "$desk/forged.png" 200
ends_with 1 as verifier verify "$desk/edges.receipt" --output "image.png=$desk/forged.png"
said '^mismatch'

say 'the host ends when it is asked to'
kill "$host_pid"
code=0
wait "$host_pid" || code=$?
host_pid=''
[ "$code" -eq 0 ] || { cat "$desk/host.log" >&2; fail "the host ended with $code"; }

echo 'all as it should be'
