#!/usr/bin/env python3
"""Speed and memory of garrison on a newswire collection, beside the usual Python chain, in one run.

    cargo build --release
    python3 benches/newswire.py stories.jsonl.gz [--peer chain_newswire.py] [--python python3] [--repeat 3]

Three pipelines are run on the collection with one thread: documents only, with duplicates, and with extraction; the last
one with two threads as well. CPU is user and system time of the whole process, reading, decompression and writing of the
tables included; the best of `--repeat` runs counts. 1 MB is 1e6 bytes of the field `text` in UTF-8, the measure the peer
uses too. `--peer` is a script that takes the collection and an output folder and does the same with Python parts
(language, MinHash, sentences, sentiment, Parquet).
"""
import argparse
import gzip
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIPELINES = (
    ("documents only", "documents_only.toml", 1),
    ("with duplicates", "dedup_only.toml", 1),
    ("with extraction", "foreign_forces.toml", 1),
    ("with extraction", "foreign_forces.toml", 2),
)


def text_megabytes(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return sum(len(json.loads(line)["text"].encode()) for line in lines) / 1e6


def measure(command):
    """CPU seconds, wall seconds and peak megabytes of a command; its output is dropped."""
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit("failed: " + " ".join(command))
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection")
    parser.add_argument("--garrison", default=str(ROOT / "target/release/garrison"))
    parser.add_argument("--peer")
    parser.add_argument("--python", default="python3", help="the Python the peer's parts are installed in")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--memory", default="1GiB")
    args = parser.parse_args()
    megabytes = text_megabytes(args.collection)
    print(f"{megabytes:.1f} MB of text\n{'':<28} {'MB/cpu-s':>8} {'cpu s':>7} {'wall s':>7} {'peak MB':>8}")
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:

        def show(name, command, repeat):
            runs = [measure(command) for _ in range(repeat)]
            cpu, wall, peak = min(r[0] for r in runs), min(r[1] for r in runs), max(r[2] for r in runs)
            speeds[name] = megabytes / cpu
            print(f"{name:<28} {megabytes / cpu:>8.1f} {cpu:>7.2f} {wall:>7.2f} {peak:>8.0f}", flush=True)
            return wall

        walls = []
        for name, pipeline, threads in PIPELINES:
            command = [args.garrison, "run", str(ROOT / "pipelines" / pipeline), "--input", args.collection]
            command += ["--output", os.path.join(folder, f"{pipeline}-{threads}"), "--threads", str(threads)]
            command += ["--memory", args.memory, "--progress", "none"]
            walls.append(show(f"{name}, {threads} thread{'s' * (threads > 1)}", command, args.repeat))
        print(f"wall time on 2 threads is {walls[3] / walls[2]:.2f} of that on 1")
        if args.peer:
            show("peer", [args.python, args.peer, args.collection, os.path.join(folder, "peer")], 1)
            for name, speed in speeds.items():
                print(f"{name}: {speed / speeds['peer']:.1f} times the peer")


if __name__ == "__main__":
    main()
