"""Runs the script of `tuoyu audit sql` and holds its result against the settlement and the peer.

    python3 tests/peer/recompute.py AUDIT_FOLDER PEER_FOLDER

The files the script writes are the expected ones byte for byte; per institution its sums by source
are the peer's s1..s4. Exit 1 and the first differences otherwise.
"""
import csv
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import duckdb

PAIRS = [
    ("recomputed.csv", "expected.csv"),
    ("recomputed_lines.csv", "expected_lines.csv"),
    ("recomputed_amounts.csv", "expected_amounts.csv"),
]
SOURCES = ["s1", "s2", "s3", "s4"]


def rows(path):
    with open(path, encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def main():
    folder, peer = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    os.chdir(folder)
    start = time.monotonic()
    duckdb.connect().execute(Path("recompute.sql").read_text(encoding="utf-8"))
    seconds = time.monotonic() - start
    differences = [
        f"{found} is not {expected}"
        for found, expected in PAIRS
        if Path(found).read_bytes() != Path(expected).read_bytes()
    ]
    funded = defaultdict(int)
    for row in rows("recomputed.csv"):
        funded[row["institution_id"], row["source"]] += int(row["amount_fen"])
    institutions = 0
    for row in rows(peer / "payments.csv"):
        institutions += 1
        for source in SOURCES:
            part = funded.pop((row["inst_id"], source), 0)
            if part != int(row[source]):
                differences.append(f"{row['inst_id']} {source}: {part}, the peer {row[source]}")
    differences += [f"{key}: {fen} unknown to the peer" for key, fen in funded.items() if fen]
    for line in differences[:20]:
        print(line)
    print(f"recomputed in {seconds:.1f} s: {institutions} institutions, {len(differences)} differences")
    sys.exit(1 if differences or not institutions else 0)


main()
