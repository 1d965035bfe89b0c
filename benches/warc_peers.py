#!/usr/bin/env python3
"""WARC readers side by side on one WARC.gz: CPU seconds and decompressed megabytes per CPU second.

    pip install fastwarc warcio
    python warc_peers.py pages.warc.gz [--own PROGRAM ARGUMENT...]

Each reader hands over every response body. `--own` runs a program on the file in the same run (its last argument is the
path) and takes the CPU time of that process. Every reader runs three times; the best run counts. 1 MB = 1e6 bytes.
"""
import argparse
import resource
import subprocess
import time


def with_warcio(path):
    from warcio.archiveiterator import ArchiveIterator

    count = size = 0
    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                body = record.content_stream().read()
                count, size = count + 1, size + len(body)
    return count, size


def with_fastwarc(path):
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    count = size = 0
    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            body = record.reader.read()
            count, size = count + 1, size + len(body)
    return count, size


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def best(measure, runs=3):
    return min(measure() for _ in range(runs))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc")
    parser.add_argument("--own", nargs=argparse.REMAINDER, default=[])
    args = parser.parse_args()
    size = None
    for name, reader in (("warcio", with_warcio), ("fastwarc", with_fastwarc)):
        reader(args.warc)  # imports and the page cache

        def run():
            start = time.process_time()
            run.result = reader(args.warc)
            return time.process_time() - start

        seconds = best(run)
        count, size = run.result
        print(f"{name:10} {count:8} bodies {size / 1e6:9.1f} MB {seconds:7.2f} cpu-s {size / 1e6 / seconds:8.0f} MB/cpu-s")
    if args.own:

        def run_own():
            start = children_cpu()
            subprocess.run([*args.own, args.warc], check=True, stdout=subprocess.DEVNULL)
            return children_cpu() - start

        seconds = best(run_own)
        print(f"{'own':10} {'':8}        {size / 1e6:9.1f} MB {seconds:7.2f} cpu-s {size / 1e6 / seconds:8.0f} MB/cpu-s")


if __name__ == "__main__":
    main()
