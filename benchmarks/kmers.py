"""Speed of the compiled k-mer encoder against the usual way: a string of spaced k-mers through BertTokenizer.

    python benchmarks/kmers.py [--transcripts 2000] [--k 3]

Both read the same simulated transcripts in this one process, on one thread, and must give the same ids. Each is timed
over several runs, of which the fastest counts; compiling (once a process) is timed apart.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from timing import fastest, simulate_transcripts
from transformers import BertTokenizer

from nucleotune.sequence.kmers import encode_kmers, kmer_vocabulary

TARGET = 300


def main() -> int:
    """Time both ways; 0 if they agree and the ratio reaches the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transcripts", type=int, default=2000)
    parser.add_argument("--k", type=int, default=3, choices=(3, 4, 5, 6))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    k, sequences = options.k, simulate_transcripts(options.transcripts, options.seed)
    ids = [str(i) for i in range(len(sequences))]
    vocabulary = {token: i for i, token in enumerate(kmer_vocabulary(k))}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=False)

    def usual() -> list[list[int]]:
        spaced = [" ".join(s[i : i + k] for i in range(len(s) - k + 1)) for s in sequences]
        return tokenizer(spaced)["input_ids"]

    begin = time.perf_counter()
    encode_kmers(ids[:1], sequences[:1], k=k)
    compiling = time.perf_counter() - begin
    ours_seconds, ours = fastest(lambda: encode_kmers(ids, sequences, k=k), repeats=20)
    usual_seconds, expected = fastest(usual, repeats=3)

    if not np.array_equal(ours.tokens, np.concatenate([np.asarray(x) for x in expected])):
        print("the two ways give different ids")
        return 1
    nucleotides = sum(map(len, sequences))
    ratio = usual_seconds / ours_seconds
    print(
        f"transcripts        {len(sequences):,} (mean {nucleotides / len(sequences):,.0f} nt), k = {k}, ids equal"
    )
    print(
        f"BertTokenizer      {usual_seconds:9.4f} s  {nucleotides / usual_seconds / 1e6:9.2f} Mnt/s"
    )
    print(
        f"encode_kmers       {ours_seconds:9.4f} s  {nucleotides / ours_seconds / 1e6:9.2f} Mnt/s"
    )
    print(f"compiling, once    {compiling:9.4f} s")
    print(f"ratio              {ratio:9.0f} x (target {TARGET} x)")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
