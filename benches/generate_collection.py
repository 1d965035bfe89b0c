#!/usr/bin/env python3
"""A made-up collection of news-like documents of any number, with copies, edits, excerpts and forms, as JSON lines.

    python3 benches/generate_collection.py 5000000 | zstd -1 > collection.jsonl.zst
    garrison run pipelines/dedup_only.toml --input collection.jsonl.zst --output out --memory 2GiB

Words are drawn as often as words of a language are (Zipf), so that three in a row seldom come again by chance. Of ten
documents, six are stories of their own, one is an exact copy of an earlier one, one a copy with changed words, one the
first third of an earlier one, and one a form filled in with other figures. The same number and seed give the same bytes.
"""
import argparse
import json
import random
import sys

VOCABULARY = 60_000
KEPT = 20_000


def vocabulary(rng):
    parts = ["ba", "ko", "mi", "ser", "tan", "lo", "vi", "dra", "nu", "pel", "gos", "ra", "che", "fu", "el", "or"]
    words = ["".join(rng.choices(parts, k=rng.randint(1, 4))) + str(number % 10) for number in range(VOCABULARY)]
    # Each word as often as its rank tells; drawing from the list is then drawing from the language.
    return [word for rank, word in enumerate(words, 1) for _ in range(max(1, 40_000 // rank))]


def form(rng, number):
    figure = lambda: rng.randint(1, 999)
    return (
        f"report {number % 50} for the day: the highest value was {figure()} and the lowest {figure()} with a mean of {figure()}. "
        f"of {figure()} places {figure()} were open and {figure()} closed. the office will give the next report in {figure()} hours "
        f"and asks all who read this to keep to the rules in force since the year {figure()}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int)
    parser.add_argument("--words", type=int, default=100, help="words of a story on average")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    drawn = vocabulary(rng)
    earlier = []
    write = sys.stdout.write
    for number in range(args.documents):
        kind = number % 10
        if kind < 6 or not earlier:
            words = rng.choices(drawn, k=rng.randint(args.words // 2, args.words * 3 // 2))
            if len(earlier) < KEPT:
                earlier.append(words)
            else:
                earlier[rng.randrange(KEPT)] = words
        elif kind == 9:
            words = [form(rng, number)]
        else:
            words = earlier[rng.randrange(len(earlier))]
            if kind == 7:
                words = list(words)
                for at in rng.sample(range(len(words)), max(1, len(words) // 40)):
                    words[at] = rng.choice(drawn)
            elif kind == 8:
                words = words[: max(30, len(words) // 3)]
        day = number % 28 + 1
        record = {
            "id": str(number),
            "url": f"https://outlet{number % 997}.example/{number}",
            "text": " ".join(words).capitalize() + ".",
            "published": f"20{10 + number % 15}-{number % 12 + 1:02}-{day:02}T{number % 24:02}:00:00Z",
        }
        write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
