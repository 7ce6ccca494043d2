"""Time and memory of building and encoding the examples of a full human set: from FASTA to token ids.

    python benchmarks/examples.py [--transcripts 120000]

Simulates coding and non-coding FASTA of the size of the human lncRNA study (120,000 transcripts, 160 Mnt, gzip), then
runs in a process of its own what the workflow does with them: read, filter, split, add partial transcripts, write and
read examples.parquet, and encode every sequence as 3-mers for a model of 1,536 tokens. Memory is that process's peak.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

TARGET_SECONDS, TARGET_MB = 60, 2000
MEAN_LENGTH = 1330


def write_fasta(path: Path, n: int, biotype: str, rng: np.random.Generator) -> int:
    """Write `n` transcripts of log-normal length under Ensembl headers; returns their nucleotides."""
    lengths = rng.lognormal(np.log(MEAN_LENGTH) - 0.32, 0.8, n).astype(int).clip(100, 100_000)
    with gzip.open(path, "wt", compresslevel=1) as file:
        for i, length in enumerate(lengths):
            sequence = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), length).tobytes().decode()
            gene = f"ENSG{biotype[0]}{i // 3:08d}.1"
            file.write(
                f">ENST{biotype[0]}{i:08d}.1 cdna chromosome:GRCh38:1:1:2:1 gene:{gene} gene_biotype:{biotype}"
                f" transcript_biotype:{biotype} gene_symbol:G{i // 3}\n"
            )
            file.writelines(sequence[j : j + 60] + "\n" for j in range(0, length, 60))
    return int(lengths.sum())


def build(folder: Path) -> None:
    """What is measured; prints seconds by step and peak memory as JSON."""
    from nucleotune.contracts import read_examples, write_examples
    from nucleotune.sequence.kmers import encode_kmers
    from nucleotune.studies.lncrna.build import build_examples

    part = {"header": None, "gene_biotypes": None, "transcript_biotypes": None}
    begin = time.perf_counter()
    examples, _ = build_examples(
        {"mRNA": [folder / "cds.fa.gz"], "lncRNA": [folder / "ncrna.fa.gz"]},
        {"title": "Benchmark", "coding": part, "noncoding": part},
        split="gene",
        min_length=100,
        balance=True,
        fractions={"pretrain": 0.4, "train": 0.3, "valid": 0.1, "test": 0.2},
        kept=[0.9, 0.8, 0.7, 0.6],
        train_view="full",
        seed=1,
    )
    built = time.perf_counter()
    write_examples(folder / "examples.parquet", examples)
    del examples
    written = time.perf_counter()
    examples = read_examples(folder / "examples.parquet", columns=["id", "sequence"])
    tokens = encode_kmers(
        examples["id"].tolist(), examples["sequence"].tolist(), k=3, max_tokens=1536
    )
    seconds = {
        "read, filter, split, cut": built - begin,
        "write": written - built,
        "read and encode": time.perf_counter() - written,
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": len(tokens), "tokens": len(tokens.tokens), "mb": peak, **seconds}))


def main() -> int:
    """Simulate, measure, compare with the targets; 0 if both are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transcripts", type=int, default=120_000)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(options.build)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), np.random.default_rng(1)
        half = options.transcripts // 2
        bases = write_fasta(folder / "cds.fa.gz", half, "protein_coding", rng)
        bases += write_fasta(folder / "ncrna.fa.gz", half, "lncRNA", rng)
        done = subprocess.run(
            [sys.executable, __file__, "--build", name], capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    rows, tokens, peak = (found.pop(key) for key in ("rows", "tokens", "mb"))
    print(
        f"{2 * half:,} transcripts, {bases / 1e6:.0f} Mnt -> {rows:,} rows, {tokens / 1e6:.0f} M tokens"
    )
    for step, seconds in found.items():
        print(f"  {step:26s} {seconds:6.1f} s")
    total = sum(found.values())
    print(f"  {'total':26s} {total:6.1f} s (target: {TARGET_SECONDS})")
    print(f"  {'peak memory':26s} {peak:6.0f} MB (target: {TARGET_MB})")
    return int(total > TARGET_SECONDS or peak > TARGET_MB)


if __name__ == "__main__":
    sys.exit(main())
