#!/usr/bin/env python3
"""Memory over the size of the corpus, as a table and a picture.

    python3 benches/memory.py CORPUS.jsonl.gz --mb 60 300 1000 4000 [--memory 1GiB] [--picture docs/memory.svg]

Generates corpora of each size from a smaller one: every round tells the same stories with other words in place of a
tenth of its own, so that texts repeat neither exactly nor nearly. Needs matplotlib for the picture.
"""

import argparse
import gzip
import json
import pathlib
import random
import shutil
import subprocess
import time


def generate(corpus, folder, size_mb):
    """Files of about 60 MB of text each."""
    with gzip.open(corpus, "rt") as lines:
        records = [json.loads(line) for line in lines]
    words = sorted({word for record in records[:2000] for word in record["text"].split() if word.isalpha() and len(word) > 4})
    written, number = 0, 0
    while written < size_mb * 1_000_000:
        randoms = random.Random(number)
        with gzip.open(folder / f"round-{number:03}.jsonl.gz", "wt", compresslevel=1) as file:
            for record in records:
                if written >= size_mb * 1_000_000:
                    break
                text = record["text"]
                if number:
                    parts = text.split(" ")
                    for _ in range(len(parts) // 10):
                        parts[randoms.randrange(len(parts))] = randoms.choice(words)
                    text = " ".join(parts)
                    record = dict(record, id=f"{record.get('id')}-{number}", url=f"{record.get('url')}?{number}", text=text)
                line = json.dumps(record) + "\n"
                written += len(line)
                file.write(line)
        number += 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("--mb", type=int, nargs="+", default=[60, 300, 1000, 4000])
    arguments.add_argument("--memory", default="1GiB")
    arguments.add_argument("--pipeline", default="pipelines/foreign_forces.toml")
    arguments.add_argument("--program", default="target/release/garrison")
    arguments.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/garrison-memory"))
    arguments.add_argument("--picture", type=pathlib.Path)
    arguments = arguments.parse_args()

    measured = []
    print(f"{'MB':>6} {'articles':>9} {'events':>8} {'seconds':>8} {'peak MB':>8}  seconds by pass")
    for size_mb in arguments.mb:
        shutil.rmtree(arguments.work, ignore_errors=True)
        news, output = arguments.work / "news", arguments.work / "out"
        news.mkdir(parents=True)
        generate(arguments.corpus, news, size_mb)
        start = time.monotonic()
        command = [arguments.program, "run", arguments.pipeline, "--input", news, "--output", output]
        subprocess.run(command + ["--memory", arguments.memory, "--progress", "none"], stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        report = json.loads((output / "run.json").read_text())
        peak = report["peak_memory_bytes"] / 1e6
        passes = {each["pass"]: round(each["seconds"], 1) for each in report["passes"]}
        counts = report["counts"]
        print(f"{size_mb:>6} {counts['kept']:>9} {counts['events']:>8} {seconds:>8.1f} {peak:>8.0f}  {passes}", flush=True)
        measured.append((size_mb, peak))
    shutil.rmtree(arguments.work, ignore_errors=True)
    if arguments.picture:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(6, 3.2))
        axes.plot(*zip(*measured), marker="o", color="black")
        axes.set_xscale("log")
        axes.set_xticks([size for size, _ in measured], [str(size) for size, _ in measured])
        axes.minorticks_off()
        axes.set_ylim(0, 1.3 * max(peak for _, peak in measured))
        axes.set_xlabel("size of the corpus, MB of JSON lines")
        axes.set_ylabel("most memory held, MB")
        axes.set_title(f"memory of a run with --memory {arguments.memory}")
        figure.tight_layout()
        figure.savefig(arguments.picture)


if __name__ == "__main__":
    main()
