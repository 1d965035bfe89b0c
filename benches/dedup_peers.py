#!/usr/bin/env python3
"""Near-duplicate tools on one labelled set, each in a process of its own: pairs right, CPU, memory.

usage: dedup_peers.py GOLD.jsonl[.gz] COMMAND [TOOL ...]

COMMAND is how the program under test evaluates, with {gold} and {out} in place of the two files,
for instance "garrison evaluate duplicates {gold} --predictions {out}". The peers (pip install datasketch==2.0.0
rensa==0.5.0 gaoya==0.2.2 text-dedup==0.4.0 datasets click click-option-group ftfy regex rich scipy xxhash) run with the parameters of their own examples at a threshold of 0.7
on word 5-grams. CPU is user and system time of the whole process, reading JSON included.
"""
import collections
import gzip
import json
import os
import re
import shlex
import sys
import tempfile

WORD = re.compile(r"\w+")
THRESHOLD = 0.7


def shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[at:at + 5]) for at in range(max(1, len(words) - 4))}


def datasketch_pairs(texts):
    from datasketch import MinHash, MinHashLSH
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        yield from ((number, int(other)) for other in index.query(sketch))
        index.insert(str(number), sketch)


def rensa_pairs(texts):
    import rensa
    index = rensa.RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    for number, text in enumerate(texts):
        sketch = rensa.RMinHash(num_perm=128, seed=42)
        sketch.update(list(shingles(text)))
        yield from ((number, int(other)) for other in index.query(sketch))
        index.insert(number, sketch)


def gaoya_pairs(texts):
    import gaoya
    index = gaoya.minhash.MinHashStringIndex(
        hash_size=32, jaccard_threshold=THRESHOLD, num_bands=16, band_size=8, num_hashes=128,
        analyzer="word", lowercase=True, ngram_range=(5, 5))
    for number, text in enumerate(texts):
        index.insert_document(number, text)
    for number, text in enumerate(texts):
        yield from ((number, int(other)) for other in index.query(text))


def text_dedup_pairs(texts):
    """Its command, called in this process, since its clusters are written nowhere."""
    import text_dedup.minhash as tool
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "texts.jsonl")
        with open(path, "w") as lines:
            lines.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        options = {"path": "json", "data_files": path, "split": "train", "cache_dir": folder, "column": "text",
                   "output": os.path.join(folder, "out"), "num_proc": 1, "ngram": 5, "threshold": THRESHOLD}
        arguments = [str(part) for name, value in options.items() for part in ("--" + name, value)]
        tool.main.main(args=arguments, standalone_mode=False)
        yield from tool.uf.parent.items()


PEERS = {"text-dedup": text_dedup_pairs, "datasketch": datasketch_pairs, "rensa": rensa_pairs, "gaoya": gaoya_pairs}


def run_peer(tool, gold, out):
    """In the child: clusters by single linkage over the pairs a tool reports."""
    ids, texts = [], []
    with open(gold) as lines:
        for line in lines:
            story = json.loads(line)
            ids.append(story["id"])
            texts.append(story["text"])
    parents = list(range(len(ids)))

    def root(at):
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    for first, second in PEERS[tool](texts):
        first, second = sorted((root(first), root(second)))
        parents[second] = first
    with open(out, "w") as lines:
        for number, name in enumerate(ids):
            lines.write(json.dumps({"id": name, "cluster": str(root(number))}) + "\n")


def measure(command):
    """CPU seconds and peak megabytes of a command."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"failed: {shlex.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def score(gold, out):
    with open(out) as lines:
        found = {story["id"]: story["cluster"] for story in map(json.loads, lines)}
    both, right, made, forms = (collections.Counter() for _ in range(4))
    kinds = {}
    with open(gold) as lines:
        for story in map(json.loads, lines):
            cluster = found[story["id"]]
            both[story["cluster"], cluster] += 1
            right[story["cluster"]] += 1
            made[cluster] += 1
            kinds.setdefault(cluster, []).append(story["kind"])
    pairs = lambda counts: sum(count * (count - 1) / 2 for count in counts.values())
    merged = sum(kind in ("t_weather", "t_market", "t_score") for group in kinds.values() if len(group) > 1 for kind in group)
    precision, recall = pairs(both) / max(1, pairs(made)), pairs(both) / pairs(right)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall), merged


def main():
    if sys.argv[1] == "--peer":
        return run_peer(*sys.argv[2:5])
    gold_path, command, *tools = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        gold = os.path.join(folder, "gold.jsonl")
        opener = gzip.open if gold_path.endswith(".gz") else open
        with opener(gold_path, "rb") as source, open(gold, "wb") as plain:
            plain.write(source.read())
        megabytes = os.path.getsize(gold) / 1e6
        print(f"{'tool':<12} {'MB/cpu-s':>8} {'peak MB':>8} {'P':>6} {'R':>6} {'F1':>6} {'forms merged':>13}")
        for tool in ["this"] + (tools or sorted(PEERS)):
            out = os.path.join(folder, tool)
            ours = [part.format(gold=gold, out=out) for part in shlex.split(command)]
            peer = [sys.executable, os.path.abspath(__file__), "--peer", tool, gold, out]
            seconds, peak = measure(ours if tool == "this" else peer)
            precision, recall, f1, merged = score(gold, out)
            print(f"{tool:<12} {megabytes / seconds:>8.2f} {peak:>8.0f} {precision:>6.3f} {recall:>6.3f} {f1:>6.3f} {merged:>13}", flush=True)


if __name__ == "__main__":
    main()
