#!/usr/bin/env python3
"""Main text: garrison beside trafilatura and resiliparse, in one run on one folder.

    pip install trafilatura==2.3.1 lxml_html_clean resiliparse
    python3 benches/articles_peers.py FOLDER [--garrison "garrison evaluate articles"]

FOLDER holds html/*.html.gz and gold.jsonl (main_content) or ground-truth.json (articleBody). Each system reads every
page once; time of the peers is CPU time of reading alone, without decompression, that of garrison all it takes. Scores: shingles of four words (mean precision and
recall over pages, F1 of the means) and words in lower case (mean F1 over pages).
"""

import argparse
import gzip
import json
import re
import resource
import shlex
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

WORD = re.compile(r"\w+")


def gold_of(folder):
    lines = folder / "gold.jsonl"
    if lines.exists():
        records = (json.loads(line) for line in lines.open(encoding="utf-8"))
        return {r["id"]: r["main_content"] for r in records}
    records = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    return {key: r["articleBody"] for key, r in records.items()}


def grams(text, n):
    words = WORD.findall(text)
    return Counter(tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1))) if words else Counter()


def precision_recall(predicted, gold, n):
    p, g = grams(predicted, n), grams(gold, n)
    common = sum((p & g).values())
    return (common / sum(p.values()) if p else float(not g)), (common / sum(g.values()) if g else float(not p))


def f1(p, r):
    return 2 * p * r / (p + r) if p + r else 0.0


def report(name, texts, gold, seconds):
    shingles = [precision_recall(texts.get(key, ""), text, 4) for key, text in gold.items()]
    p, r = statistics.mean(s[0] for s in shingles), statistics.mean(s[1] for s in shingles)
    words = statistics.mean(
        f1(*precision_recall(texts.get(key, "").lower(), text.lower(), 1)) for key, text in gold.items()
    )
    speed = f"{len(gold) / seconds:8.1f}"
    print(f"{name:24} shingles F1 {f1(p, r):.4f}  P {p:.4f}  R {r:.4f}   words F1 {words:.4f}   pages/s {speed}")


def timed(read, pages):
    texts, start = {}, time.process_time()
    for key, page in pages.items():
        try:
            texts[key] = read(page) or ""
        except Exception:  # a peer that fails on a page has no text for it
            texts[key] = ""
    return texts, time.process_time() - start


def garrison(command, folder):
    """Texts and CPU seconds of the whole process: start, decompression, reading, scoring and writing included."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as out:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*shlex.split(command), str(folder), "--predictions", out.name], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {r["id"]: r["text"] for r in map(json.loads, Path(out.name).open(encoding="utf-8"))}, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--garrison", default="garrison evaluate articles", help="command that reads FOLDER")
    args = parser.parse_args()
    gold = gold_of(args.folder)
    pages = {key: gzip.decompress((args.folder / "html" / f"{key}.html.gz").read_bytes()) for key in gold}

    texts, seconds = garrison(args.garrison, args.folder)
    report("garrison, whole process", texts, gold, seconds)

    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    def resili(page):
        tree = HTMLTree.parse(bytes_to_str(page, detect_encoding(page)))
        return extract_plain_text(tree, main_content=True, alt_texts=False)

    peers = {
        f"trafilatura {trafilatura.__version__}": lambda page: trafilatura.extract(page, include_comments=False),
        "trafilatura fast": lambda page: trafilatura.extract(page, include_comments=False, fast=True),
        "resiliparse": resili,
    }
    for name, read in peers.items():
        texts, seconds = timed(read, pages)
        report(name, texts, gold, seconds)


if __name__ == "__main__":
    main()
