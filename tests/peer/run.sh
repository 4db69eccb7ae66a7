#!/usr/bin/env bash
# Makes a bench month of one size and seed, lets the DuckDB peer settle it, settles it, compares;
# tells the time of both. Naming one seed several times repeats the pair.
#   tests/peer/run.sh CHILDREN INSTITUTIONS [SEED ...]
# Needs ../shared/bench, python3 with duckdb (PYTHON=…) and a release build (TUOYU=…).
set -euo pipefail
cd "$(dirname "$0")/../.."
children=$1 institutions=$2
shift 2
python=${PYTHON:-python3}
tuoyu=${TUOYU:-${CARGO_TARGET_DIR:-target}/release/tuoyu}
bench=../shared/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/bench-gen" \
    cargo build --quiet --release --manifest-path "$bench/gen/Cargo.toml"
gen="${CARGO_TARGET_DIR:-target}/bench-gen/release/gen"
for seed in "${@:-42}"; do
    "$gen" "$work/in" "$children" "$institutions" "$seed"
    TIMEFORMAT="seed $seed, peer: %R s wall, %U s user, %S s system"
    time check=$("$python" "$bench/duckdb_peer.py" "$work/in" "$work/peer")
    rm -rf "$work/run" "$work/ledger.db"*
    status=0
    TIMEFORMAT="seed $seed, tuoyu: %R s wall, %U s user, %S s system"
    time "$tuoyu" run jobs/bench.toml --period 2026-09 --input "$work/in" --out "$work/run" \
        --ledger "$work/ledger.db" || status=$?
    [ "$status" = 0 ] || [ "$status" = 3 ] || exit "$status"
    echo "seed $seed: $check"
    "$python" tests/peer/compare.py "$work/run" "$work/peer" "$check"
    # The SQL made from the law, run by DuckDB, pays what the settlement and the peer pay.
    "$tuoyu" audit sql "$work/run" --out "$work/audit" --input "$work/in" \
        --ledger "$work/ledger.db"
    "$python" tests/peer/recompute.py "$work/audit" "$work/peer"
    rm -rf "$work/audit"
done
