"""lncRNA or mRNA: from transcript FASTA to examples (LoRA-BERT paper, section 2.1 and Table 1).

Label 1 is lncRNA, 0 is mRNA. Every filter is counted, so that a reader can follow each transcript from file to table.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import SPLITS, further_tests
from nucleotune.errors import InputError
from nucleotune.groups import join_groups, named_after_first
from nucleotune.sequence.fasta import read_fasta
from nucleotune.sequence.headers import parse_header
from nucleotune.studies.leaks import identical, leakage, shared_sequences
from nucleotune.studies.lncrna.partial import add_fragments, cut_training_rows
from nucleotune.studies.lncrna.plan import CLASSES
from nucleotune.studies.splits import (
    check_classes,
    sample_rows,
    split_counts,
    split_groups,
    split_rows,
)

log = logging.getLogger(__name__)

LABELS = {"mRNA": 0, "lncRNA": 1}
NAMES = {number: label for label, number in LABELS.items()}
#: Class -> its part of a species file.
PARTS = {label: part for label, (part, _) in CLASSES.items()}
METADATA = ("gene_biotype", "transcript_biotype", "symbol", "seq_region")
#: Kinds of transcripts that code for a protein, as Ensembl, NCBI and FlyBase call them.
CODING = ("protein_coding", "mRNA", "partial mRNA", "CDS")


def read_transcripts(paths: Sequence[str | Path], header: str | None) -> tuple[pd.DataFrame, int]:
    """Read all records of some FASTA files into columns id, sequence, gene and METADATA (None where not given).

    A record that repeats both id and sequence of an earlier one is dropped; returns the table and that number. The same
    id with another sequence raises InputError, as does a header that `header` (a regular expression) does not match.
    """
    pattern = _compile(header)
    rows: dict[str, tuple] = {}
    repeated = 0
    for path in paths:
        for record in read_fasta(path):
            try:
                fields = parse_header(record.header, pattern)
            except ValueError as error:
                raise InputError(f"{path}: record {record.header[:80]!r}: {error}") from error
            name = fields["id"]
            if name in rows:
                if rows[name][0] != record.sequence:
                    raise InputError(
                        f"{path}: id {name!r} is used for two different sequences; if the id is not the first word of"
                        " the header, set 'header' in the species file (see docs/species.md)"
                    )
                repeated += 1
                continue
            rows[name] = (
                record.sequence,
                fields.get("gene"),
                *(fields.get(key) for key in METADATA),
            )
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["sequence", "gene", *METADATA], dtype=object
    )
    return table.rename_axis("id").reset_index(), repeated


def _compile(header: str | None) -> re.Pattern[str] | None:
    if header is None:
        return None
    try:
        pattern = re.compile(header)
    except re.error as error:
        raise InputError(f"species file: 'header' is not a regular expression: {error}") from error
    if "id" not in pattern.groupindex:
        raise InputError("species file: 'header' needs a named group (?P<id>...)")
    return pattern


def filter_transcripts(
    transcripts: pd.DataFrame,
    *,
    label: str,
    gene_biotypes: Sequence[str] | None,
    transcript_biotypes: Sequence[str] | None,
    min_length: int,
    source: str,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Apply the filters of Table 1 in turn; returns the kept rows and the waterfall (one entry a filter).

    Order: biotypes, length >= `min_length` nt, letters ACGT only ("unannotated sequences" of the paper, which the N
    padding of partial Ensembl CDS falls under). Raises InputError with a table of the biotypes found when the biotype
    filters leave nothing.
    """
    waterfall = [{"class": label, "step": "in the files", "kept": len(transcripts), "dropped": 0}]

    def keep(step: str, mask: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
        kept = table[mask]
        waterfall.append(
            {"class": label, "step": step, "kept": len(kept), "dropped": len(table) - len(kept)}
        )
        return kept

    table = transcripts
    for column, wanted in (
        ("gene_biotype", gene_biotypes),
        ("transcript_biotype", transcript_biotypes),
    ):
        if wanted is None:
            continue
        kept = keep(f"{column} {', '.join(wanted)}", table[column].isin(wanted), table)
        if kept.empty:
            raise InputError(_no_biotype(table, column, wanted, label, source))
        table = kept
    table = keep(f"at least {min_length} nt", table["sequence"].str.len() >= min_length, table)
    table = keep("letters ACGT only", ~table["sequence"].str.contains("N", regex=False), table)
    if table.empty:
        raise InputError(
            f"{source}: no {label} transcript is left after the length and alphabet filters"
        )
    return table, waterfall


def _no_biotype(
    table: pd.DataFrame, column: str, wanted: Sequence[str], label: str, source: str
) -> str:
    found = Counter(table[column].fillna("(none given)"))
    lines = "\n".join(f"  {count:>9,}  {name}" for name, count in found.most_common())
    mend = (
        f"Set {PARTS[label]}.{column}s in the species file to the ones you want, or to null to keep all"
        if table[column].notna().any()
        else f"No header names one in a known format, such as {table['id'].iloc[0]!r}: set {PARTS[label]}.header in the"
        f" species file to a pattern with a group {column}, or give files of {label} alone and set"
        f" {PARTS[label]}.{column}s to null"
    )
    return (
        f"{source}: no record has {column} {' or '.join(wanted)}, so there are no {label} transcripts.\n"
        f"{column} found:\n{lines}\n{mend}"
    )


def not_coding(coding: pd.DataFrame) -> dict[str, int]:
    """Transcripts of the coding class by what their headers call them, those that code for a protein left out.

    Looks at the kind of transcript, or at the gene's where only that is known: Ensembl's and GENCODE's files of
    transcripts hold decayed, retained and pseudogenes' ones beside those of proteins.
    """
    kinds = coding["transcript_biotype"].fillna(coding["gene_biotype"]).dropna()
    return {name: int(n) for name, n in kinds[~kinds.isin(CODING)].value_counts().items()}


def describe_class(table: pd.DataFrame) -> dict[str, float | int]:
    """Count and lengths (nt) of some transcripts: the columns of the paper's Table 1."""
    lengths = table["sequence"].str.len()
    return {
        "n": len(table),
        "min_length": int(lengths.min()),
        "max_length": int(lengths.max()),
        "mean_length": round(float(lengths.mean()), 2),
        "genes": int(table["gene"].nunique()) if table["gene"].notna().any() else None,
        "bases": int(lengths.sum()),
    }


def build_examples(
    files: Mapping[str, Sequence[str | Path]],
    species: Mapping[str, Any],
    *,
    split: str,
    min_length: int,
    balance: bool,
    fractions: Mapping[str, float],
    kept: Sequence[float],
    train_view: str,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Examples and data card of one species under one split.

    files: FASTA paths by class ("mRNA", "lncRNA"). species: a validated species file. split: "paper" (rows) or "gene".
    kept: shares of partial test transcripts; train_view: "full" or "cut" (`studies.lncrna.partial`).
    Returns the examples (contract of `nucleotune.contracts`) and the card: `waterfall`, `classes_before_sampling`,
    `classes`, `not_coding`, `splits`, `leakage`, `identical`, `genes_known`.
    Under "gene" transcripts of one sequence are also kept in one part.

    Raises InputError for "gene" where no gene is known, and where a part lacks a class.
    """
    tables: dict[str, pd.DataFrame] = {}
    waterfall: list[dict[str, Any]] = []
    for label, part in PARTS.items():
        table, repeated = read_transcripts(files[label], species[part]["header"])
        source = ", ".join(str(path) for path in files[label])
        passed, steps = filter_transcripts(
            table,
            label=label,
            gene_biotypes=species[part]["gene_biotypes"],
            transcript_biotypes=species[part]["transcript_biotypes"],
            min_length=min_length,
            source=source,
        )
        if repeated:
            steps.insert(
                1,
                {
                    "class": label,
                    "step": "repeated records",
                    "kept": len(table),
                    "dropped": repeated,
                },
            )
            steps[0]["kept"] += repeated
        log.info("%s: %d of %d records kept", source, len(passed), steps[0]["kept"])
        tables[label] = passed
        waterfall += steps
    before = {label: describe_class(table) for label, table in tables.items()}
    others = not_coding(tables["mRNA"])
    if others:
        # Ensembl's own file has them in the paper's form; users' own files may be meant otherwise.
        log.log(
            logging.WARNING if species["coding"]["files"] else logging.INFO,
            "%s: %d of the %d mRNAs are not called protein-coding: %s; set coding.transcript_biotypes in the species"
            " file to choose",
            ", ".join(map(str, files["mRNA"])),
            sum(others.values()),
            len(tables["mRNA"]),
            ", ".join(f"{n} {name}" for name, n in others.items()),
        )
    if balance:
        n = min(len(table) for table in tables.values())
        for label, table in tables.items():
            tables[label] = sample_rows(table, n, seed)
            waterfall.append(
                {
                    "class": label,
                    "step": "sampled to equal classes",
                    "kept": n,
                    "dropped": len(table) - n,
                    "sampled_by": "lncrna.balance",
                }
            )
    examples = pd.concat(
        [table.assign(label=LABELS[label]) for label, table in tables.items()], ignore_index=True
    )
    shared = examples["id"].duplicated()
    if shared.any():
        raise InputError(
            f"id {examples.loc[shared, 'id'].iloc[0]!r} is in the coding and in the non-coding files"
            f" ({int(shared.sum()):,} ids are): a transcript can belong to one class only. If both number their"
            " records in the same way (1, 2, ..), give the ids of one file a prefix (sed 's/^>/>nc_/'), or use"
            " 'header' in the species file to say where a unique id is"
        )
    named = ", ".join(str(path) for paths in files.values() for path in paths)
    examples["group"] = examples["gene"].fillna(examples["id"])
    if split == "gene":
        _check_genes(examples, named)
        joined = join_groups(examples["group"], examples["sequence"])
        examples["group"] = named_after_first(examples["group"], joined)
        examples["split"] = split_groups(examples["label"], examples["group"], fractions, seed)
    else:
        examples["split"] = split_rows(examples["label"], fractions, seed)
    check_classes(
        examples,
        NAMES,
        f"{named}: {len(examples)} transcripts, split {split!r}",
        "give more transcripts, or change lncrna.fractions",
    )
    classes = {label: describe_class(table) for label, table in tables.items()}
    if train_view == "cut":
        examples = cut_training_rows(examples, kept, seed)
    examples = add_fragments(examples, kept)
    card = {
        "title": species["title"],
        "split": split,
        "waterfall": waterfall,
        "classes_before_sampling": before,
        "classes": classes,
        "not_coding": others,
        "train_view": train_view,
        **split_card(examples, examples["gene"].notna()),
    }
    return examples.drop(columns="gene"), card


def _check_genes(examples: pd.DataFrame, source: str) -> None:
    """Raise InputError for split `gene` where no gene is known; say how many are not where some are."""
    known, n = int(examples["gene"].notna().sum()), len(examples)
    if not known:
        raise InputError(
            f"{source}: split 'gene' keeps the transcripts of a gene in one part, but the gene is known for 0"
            f" of {n} transcripts, such as {examples['id'].iloc[0]!r}: set 'header' in the species file to a"
            " pattern with a"
            " group 'gene' (docs/species.md), or use split 'paper' (lncrna.splits)"
        )
    if known < n:
        by_class = ", ".join(
            f"{int((rows['gene'].isna()).sum())} of {len(rows)} {NAMES[label]}"
            for label, rows in examples.groupby("label")
        )
        log.warning(
            "%s: split 'gene': the gene of %d of %d transcripts is not known (%s); those are split one by one, so that"
            " isoforms of one gene may be in training and in the test split",
            *(source, n - known, n, by_class),
        )


def split_card(examples: pd.DataFrame, genes_known: pd.Series) -> dict[str, Any]:
    """The parts of a card that every data set has: rows by split and class, and what leaks between them.

    genes_known: whether the gene of each row is.
    """
    whole = examples["split"].isin(SPLITS)
    return {
        "splits": split_counts(examples, NAMES),
        "leakage": leakage(examples["split"], examples["group"], genes_known)
        | shared_sequences(examples, both_strands=False),
        "identical": identical(examples, both_strands=False),
        "genes_known": int((genes_known & whole).sum()),
    }


def pool_examples(
    tables: Iterable[tuple[str, pd.DataFrame, Mapping[str, Any]]],
) -> tuple[pd.DataFrame, pd.Series]:
    """One table of several species, (name, examples, card) each, partial transcripts left out.

    Ids and groups get the species' name in front, so that they stay unique. Also returns whether the gene of each row
    is known; where a species knows those of some rows only, a row whose group is called as itself counts as unknown.
    """
    parts, known = [], []
    for species, table, card in tables:
        table = table[~table["split"].isin(further_tests(table["split"]))]
        genes = card["genes_known"]
        known.append((table["group"] != table["id"]) & (genes > 0) | (genes == len(table)))
        parts.append(
            table.assign(
                id=species + ":" + table["id"],
                group=species + ":" + table["group"],
                species=species,
            )
        )
    return pd.concat(parts, ignore_index=True), pd.concat(known, ignore_index=True)
