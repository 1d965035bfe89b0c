#!/usr/bin/env python3
"""Daily runs against one run: the same tables, and what the last day costs.

    python3 benches/daily_runs.py CORPUS.jsonl.gz [--days 30] [--program target/release/garrison] [--work FOLDER]

Splits a corpus of JSON lines into days by publication order, runs the pipeline after each day, runs it once over
everything, and compares every table row for row but for run_id. Needs duckdb.
"""

import argparse
import gzip
import json
import pathlib
import shutil
import subprocess
import time

import duckdb

TABLES = "documents duplicates rejects mentions events incidents sentiment surveys".split()


def run(program, plan, output):
    start = time.monotonic()
    subprocess.run([program, "run", plan, "--output", output, "--progress", "none"], check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - start, json.loads((output / "run.json").read_text())


def units(report):
    return {each["pass"]: (each["worked"], each["reused"], round(each["seconds"], 2)) for each in report["passes"]}


def difference(one, other, table):
    """Rows of one table that the other has not, both ways."""
    rows = [f"SELECT * EXCLUDE (run_id) FROM '{folder}/{table}.parquet'" for folder in (one, other)]
    both = f"(({rows[0]}) EXCEPT ALL ({rows[1]})) UNION ALL (({rows[1]}) EXCEPT ALL ({rows[0]}))"
    return duckdb.sql(f"SELECT count(*) FROM ({both})").fetchall()[0][0], duckdb.sql(f"SELECT count(*) FROM ({rows[1]})").fetchall()[0][0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--program", default="target/release/garrison")
    arguments.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/garrison-daily"))
    arguments = arguments.parse_args()

    shutil.rmtree(arguments.work, ignore_errors=True)
    news = arguments.work / "news"
    news.mkdir(parents=True)
    plan = arguments.work / "plan.toml"
    plan.write_text(f'[input]\npaths = ["{news}"]\n[output]\nfolder = "unused"\n[run]\nmax_rejects = 1.0\n')
    with gzip.open(arguments.corpus, "rt") as lines:
        lines = sorted(lines, key=lambda line: (str(json.loads(line).get("published") or json.loads(line).get("date")), line))
    size = -(-len(lines) // arguments.days)

    daily = arguments.work / "daily"
    print(f"{'day':>4} {'articles':>9} {'seconds':>8}  read and extract: worked, reused, seconds")
    for day in range(arguments.days):
        with gzip.open(news / f"day-{day:02}.jsonl.gz", "wt", compresslevel=3) as file:
            file.writelines(lines[day * size:(day + 1) * size])
        seconds, report = run(arguments.program, plan, daily)
        print(f"{day + 1:>4} {report['counts']['kept']:>9} {seconds:>8.2f}  {units(report)}", flush=True)
    whole, report = run(arguments.program, plan, arguments.work / "once")
    print(f"once {report['counts']['kept']:>9} {whole:>8.2f}  {units(report)}")
    print(f"the last day took {seconds:.2f} s, everything at once {whole:.2f} s: {100 * seconds / whole:.1f} %")
    empty, _ = run(arguments.program, plan, daily)
    print(f"a run with nothing new took {empty:.2f} s")
    for table in TABLES:
        different, rows = difference(daily, arguments.work / "once", table)
        print(f"{table:<11} {rows:>9} rows, {different} differ")


if __name__ == "__main__":
    main()
