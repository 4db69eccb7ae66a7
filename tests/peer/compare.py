"""Holds a settled bench month against what the DuckDB peer paid.

    python3 tests/peer/compare.py RUN_FOLDER PEER_FOLDER "CHECK line of the peer"

Per institution: the sum of payable_fen in schedule.csv is the peer's pay, the sums by source in
funding.csv are its s1..s4; refused_by_reason in summary.json is its status counts. Exit 1 and the
first differences otherwise.
"""
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

# Reasons of the bench pack in the order of the peer's statuses 1..10.
STATUSES = [
    "child_id_length",
    "institution_unknown",
    "span_invalid",
    "not_in_month",
    "service_not_offered",
    "not_inclusive",
    "child_listed_twice",
    "attendance_missing",
    "days_out_of_range",
    "age_out_of_range",
]
SOURCES = ["s1", "s2", "s3", "s4"]


def rows(path):
    with open(path, encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def main():
    run, peer, check = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    paid = defaultdict(int)
    for row in rows(run / "schedule.csv"):
        paid[row["institution_id"]] += int(row["payable_fen"])
    funded = defaultdict(int)
    for row in rows(run / "funding.csv"):
        funded[row["institution_id"], row["source"]] += int(row["amount_fen"])
    differences = []
    institutions = 0
    for row in rows(peer / "payments.csv"):
        institutions += 1
        own = paid.pop(row["inst_id"], 0)
        if own != int(row["pay"]):
            differences.append(f"{row['inst_id']}: pays {own}, the peer {row['pay']}")
        for source in SOURCES:
            part = funded.pop((row["inst_id"], source), 0)
            if part != int(row[source]):
                differences.append(f"{row['inst_id']} {source}: {part}, the peer {row[source]}")
    differences += [f"{key}: paid {fen} to nobody the peer knows" for key, fen in paid.items() if fen]
    differences += [f"{key}: funded {fen}, unknown to the peer" for key, fen in funded.items() if fen]
    statuses = check.split("status=")[1].split(",")
    expected = {name: int(n) for name, n in zip(STATUSES, statuses[1:]) if int(n)}
    refused = json.loads((run / "summary.json").read_text(encoding="utf-8"))["refused_by_reason"]
    if refused != expected:
        differences.append(f"refused_by_reason {refused}, the peer {expected}")
    for line in differences[:20]:
        print(line)
    print(f"{institutions} institutions, {len(differences)} differences")
    sys.exit(1 if differences or not institutions else 0)


main()
