"""Speed and memory of reading a human-size GTF into Parquet, against pyranges.read_gtf.

    pip install pyranges
    python benchmarks/annotation.py [--lines 3400000]

Both read the same simulated file, gzip and in Ensembl's form, each in a process of its own and without imports; ours
also writes Parquet in its time, pyranges only reads. They must agree on the columns that both give. Compiling (once a
machine: it is cached) is timed apart, on a small file.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

SECONDS, BYTES = 30, 3e9
BIOTYPES = ("protein_coding", "lncRNA", "processed_pseudogene", "misc_RNA", "snRNA", "TEC")
OTHER_BIOTYPES = ("retained_intron", "nonsense_mediated_decay", "protein_coding_CDS_not_defined")
TAGS = ("gencode_basic", "Ensembl_canonical", "MANE_Select", "CCDS", "cds_end_NF", "mRNA_end_NF")
#: Our columns by those of pyranges.
COLUMNS = {
    "Feature": "feature",
    "Chromosome": "seqname",
    "Start": "start",
    "End": "end",
    "Strand": "strand",
    **{
        name: name
        for name in (
            *("gene_id", "gene_version", "gene_name", "gene_biotype"),
            *("transcript_id", "transcript_version", "transcript_biotype"),
        )
    },
}


def simulate_lines(n: int, seed: int) -> Iterator[str]:
    """About `n` lines of a GTF: genes of 1 to 8 transcripts of 1 to 12 exons, most with a coding part."""
    rng = np.random.default_rng(seed)
    contigs = [str(i) for i in range(1, 23)] + ["X", "Y", "MT", "KI270728.1"]
    written = transcripts = exons = 0
    for gene in range(n):
        if written >= n:
            return
        contig = contigs[min(written * len(contigs) // n, len(contigs) - 1)]
        numbers = rng.integers(0, 1 << 30, 40).tolist()
        strand = "+-"[numbers[0] % 2]
        biotype = BIOTYPES[min(numbers[1] % 9 // 2 if numbers[1] % 2 else 0, 5)]
        source = ("havana", "ensembl_havana", "ensembl")[numbers[2] % 3]
        name = f'gene_name "GENE{gene}"; ' if numbers[3] % 3 else ""
        of_gene = (f'gene_id "ENSG{gene:011d}"; gene_version "{numbers[4] % 20 + 1}"; ',
                   f'{name}gene_source "{source}"; gene_biotype "{biotype}"; ')  # fmt: skip
        start = 1000 + 2000 * gene

        def line(feature, first, last, attributes, contig=contig, source=source, strand=strand):
            frame = "0" if feature in ("CDS", "start_codon", "stop_codon") else "."
            return f"{contig}\t{source}\t{feature}\t{first}\t{last}\t.\t{strand}\t{frame}\t{attributes}\n"

        yield line("gene", start, start + 90_000, "".join(of_gene).rstrip())
        written += 1
        for which in range(numbers[5] % 8 + 1):
            transcripts += 1
            coding = biotype == "protein_coding" and numbers[6 + which] % 3 > 0
            kind = biotype if coding or biotype != "protein_coding" else OTHER_BIOTYPES[which % 3]
            tags = "".join(f'tag "{tag}"; ' for tag in TAGS[: numbers[15 + which] % 4])
            of_transcript = (
                f'transcript_id "ENST{transcripts:011d}"; transcript_version "{which + 1}"; ',
                f'transcript_name "GENE{gene}-{201 + which}"; transcript_source "{source}"; transcript_biotype'
                f' "{kind}"; ',
                f'{tags}transcript_support_level "{"5 (assigned to previous version 4)" if which % 3 else 1}";',
            )
            head, middle = of_gene[0] + of_transcript[0], of_gene[1] + of_transcript[1]
            yield line("transcript", start, start + 90_000, head + middle + of_transcript[2])
            written += 1
            n_exons = numbers[24 + which] % 12 + 1
            for number in range(1, n_exons + 1):
                exons += 1
                place = start + 5000 * number
                rank = f'exon_number "{number}"; '
                exon = f'exon_id "ENSE{exons:011d}"; exon_version "1"; '
                yield line(
                    "exon",
                    place,
                    place + 150,
                    head + rank + middle + exon + of_transcript[2],
                )
                written += 1
                if coding and 1 < number < n_exons:
                    protein = f'protein_id "ENSP{transcripts:011d}"; protein_version "1"; '
                    text = head + rank + middle + protein + of_transcript[2]
                    yield line("CDS", place, place + 150, text)
                    written += 1
            if coding and n_exons > 2:
                for feature in ("start_codon", "stop_codon"):
                    yield line(feature, place, place + 2, head + rank + middle + of_transcript[2])
                for feature in ("five_prime_utr", "three_prime_utr"):
                    yield line(feature, place, place + 99, head + middle + of_transcript[2])
                written += 4


def work(reader: str, source: str, target: str) -> None:
    """Read `source` in this process, print seconds and peak memory (bytes), and leave the columns in `target`."""
    if reader == "pyranges":
        import pyranges

        begin = time.perf_counter()
        table = pyranges.read_gtf(source, as_df=True)
    else:
        from nucleotune.genome.annotation import read_annotation, write_annotation

        begin = time.perf_counter()
        write_annotation(read_annotation(source), target)
    seconds = time.perf_counter() - begin
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "bytes": peak}))
    if reader == "pyranges":
        # Chromosomes are numbers in some of the chunks it reads and text in others.
        table[list(COLUMNS)].astype({"Chromosome": str}).to_parquet(target)


def measure(reader: str, source: Path, target: Path) -> dict[str, float]:
    """`work` in a process of its own; `wall` is the time of all of it, imports and all."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--work", reader, str(source), str(target)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return {**json.loads(done.stdout), "wall": time.perf_counter() - begin}


def differences(ours: Path, theirs: Path) -> list[str]:
    """The columns in which two Parquet files differ."""
    import pandas as pd

    wrong = []
    for column, own in COLUMNS.items():
        a = pd.read_parquet(ours, columns=[own])[own].astype(str).replace("<NA>", "nan")
        b = pd.read_parquet(theirs, columns=[column])[column].astype(str)
        if len(a) != len(b) or not (a.fillna("nan").to_numpy() == b.fillna("nan").to_numpy()).all():
            wrong.append(own)
    return wrong


def main() -> int:
    """Measure both; 0 if they agree and all targets are reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=3_400_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        small, gtf = Path(folder, "small.gtf.gz"), Path(folder, "human.gtf.gz")
        for path, lines in ((small, 1000), (gtf, options.lines)):
            with gzip.open(path, "wt", compresslevel=1) as file:
                count = sum(file.write(line) > 0 for line in simulate_lines(lines, options.seed))
        compiling = measure("nucleotune", small, Path(folder, "small.parquet"))
        ours = measure("nucleotune", gtf, Path(folder, "ours.parquet"))
        size = Path(folder, "ours.parquet").stat().st_size
        theirs = measure("pyranges", gtf, Path(folder, "theirs.parquet"))
        wrong = differences(Path(folder, "ours.parquet"), Path(folder, "theirs.parquet"))
    if wrong:
        print(f"the two ways differ in: {', '.join(wrong)}")
        return 1
    print(f"lines              {count:,}, {os.cpu_count()} cores; {len(COLUMNS)} columns equal")
    for name, found in (("pyranges", theirs), ("read_annotation", ours)):
        print(
            f"{name:18s} {found['seconds']:9.2f} s  {found['bytes'] / 1e9:9.2f} GB"
            f"  (process {found['wall']:.1f} s)"
        )
    print(f"Parquet            {size / 1e6:9.1f} MB")
    print(f"first run, small   {compiling['wall']:9.2f} s")
    ratio = theirs["seconds"] / ours["seconds"]
    print(f"ratio              {ratio:9.1f} x in time (target 1 x),"
          f" {theirs['bytes'] / ours['bytes']:.1f} x in memory")  # fmt: skip
    print(f"targets            {SECONDS} s and {BYTES / 1e9:.0f} GB for the whole process")
    return 0 if ratio > 1 and ours["wall"] < SECONDS and ours["bytes"] < BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
