"""Which Ensembl release and which reading of the filters give the transcript counts of the LoRA-BERT paper's Table 1?

The paper names neither the release nor what "unannotated sequences" are. Here every reading is counted in every
release, one pass over each file, and set beside the printed number.
"""

import hashlib
import itertools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.fasta import read_fasta
from nucleotune.sequence.headers import parse_header

log = logging.getLogger(__name__)

#: Alternative contigs and patches, which Ensembl's FASTA files hold beside chromosomes and scaffolds.
ALTERNATIVE = re.compile(r"^CHR_|^H(SCHR|G\d)|^M(MCHR|G\d)|_PATCH$|_CTG\d")

#: Class -> its biotype, then what the readings by the biotype of the gene and of the transcript are called.
NAMED = {
    "lncRNA": ("lncRNA", "lncRNA genes", "lncRNA transcripts"),
    "mRNA": ("protein_coding", "protein-coding genes", "protein-coding transcripts"),
}
#: Questions that the paper leaves open, each with its readings; all but the first have the study's own reading first.
BIOTYPES = {label: (*names, "all biotypes") for label, (_, *names) in NAMED.items()}
REGIONS = ("all regions", "no alternative contigs")
LETTERS = ("ACGT only", "any letter")
SYMBOLS = ("any symbol", "with a symbol")
REPEATS = ("repeats kept", "one of each sequence")

RESULT_COLUMNS = ("species", "release", "class", "reading", "count")
TABLE_COLUMNS = ("species", "release", "reading", "class", "count", "published", "difference")


def readings(label: str) -> list[tuple[str, ...]]:
    """All readings of the filters of a class: one choice for each open question."""
    return list(itertools.product(BIOTYPES[label], REGIONS, LETTERS, SYMBOLS, REPEATS))


def count_readings(path: str | Path, label: str, min_length: int) -> dict[tuple[str, ...], int]:
    """Number of transcripts of at least `min_length` nt in an Ensembl FASTA file under each of `readings(label)`.

    One pass; what is kept of a sequence is a digest of 16 bytes. Raises InputError when a header is not Ensembl's.
    """
    records: dict[tuple, int] = {}  # properties of a record -> how many have them
    seen: dict[bytes, set[tuple]] = {}  # digest of a sequence -> properties of its records
    for record in read_fasta(path):
        if len(record.sequence) < min_length:
            continue
        properties = _properties(path, record.header, record.sequence, label)
        records[properties] = records.get(properties, 0) + 1
        digest = hashlib.blake2b(record.sequence.encode("ascii"), digest_size=16).digest()
        seen.setdefault(digest, set()).add(properties)
    distinct: dict[
        frozenset, int
    ] = {}  # sets of properties that sequences have -> how many sequences
    for found in seen.values():
        distinct[frozenset(found)] = distinct.get(frozenset(found), 0) + 1
    counts = {}
    for reading in readings(label):
        *choices, repeats = reading
        if repeats == REPEATS[0]:
            counts[reading] = sum(n for one, n in records.items() if _kept(one, choices))
        else:
            counts[reading] = sum(
                n for found, n in distinct.items() if any(_kept(one, choices) for one in found)
            )
    return counts


def _properties(path: str | Path, header: str, sequence: str, label: str) -> tuple:
    """The readings that a record passes, one set for each question but that of repeats."""
    fields = parse_header(header)
    if not fields.get("gene_biotype"):
        raise InputError(
            f"{path}: record {header[:80]!r}: not an Ensembl header; calibrate_counts reads Ensembl's files only"
        )
    biotype, of_genes, of_transcripts = NAMED[label]
    biotypes = {"all biotypes"}
    if fields["gene_biotype"] == biotype:
        biotypes.add(of_genes)
    if fields["transcript_biotype"] == biotype:
        biotypes.add(of_transcripts)
    alternative = ALTERNATIVE.search(fields["seq_region"]) is not None
    return (
        frozenset(biotypes),
        frozenset(REGIONS[:1] if alternative else REGIONS),
        frozenset(LETTERS[1:] if "N" in sequence else LETTERS),
        frozenset(SYMBOLS if fields["symbol"] else SYMBOLS[:1]),
    )


def _kept(properties: tuple, choices: Sequence[str]) -> bool:
    return all(choice in passed for choice, passed in zip(choices, properties, strict=True))


def result(
    species: str, release: int, label: str, counts: Mapping[tuple[str, ...], int]
) -> pd.DataFrame:
    """Counts of one file as a table with RESULT_COLUMNS."""
    rows = [(species, release, label, "; ".join(reading), n) for reading, n in counts.items()]
    return pd.DataFrame(rows, columns=list(RESULT_COLUMNS))


def compare_counts(
    results: Iterable[pd.DataFrame], published: pd.DataFrame, published_as: Mapping[str, str]
) -> pd.DataFrame:
    """All counts beside the printed ones, TABLE_COLUMNS; the release and reading that fit best come first.

    `published` holds resources/published/lncrna_datasets.tsv, `published_as` the paper's name of each species. Rows of
    lncRNA come first, by the relative difference of the species that a release and reading fits worst: one release and
    reading should give the counts of all species. Those of mRNA follow, likewise; the paper's number may be a sample of
    them, so that a reading need only give enough.
    """
    table = pd.concat(list(results), ignore_index=True)
    printed = published.set_index(["species", "biotype"])["size"]
    keys = zip(table["species"].map(published_as), table["class"], strict=True)
    table["published"] = [printed[key] for key in keys]
    table["difference"] = table["count"] - table["published"]
    relative = (table["difference"] / table["published"]).abs()
    worst = relative.groupby([table["class"], table["release"], table["reading"]]).transform("max")
    order = table.assign(worst=worst, second=table["class"] != "lncRNA").sort_values(
        ["second", "worst", "release", "reading", "species"], kind="stable"
    )
    best = order.iloc[0]
    log.info(
        "best fit: release %s, %s: within %.2f %% of the printed numbers of lncRNAs",
        *(best["release"], best["reading"], 100 * best["worst"]),
    )
    return order[list(TABLE_COLUMNS)].reset_index(drop=True)
