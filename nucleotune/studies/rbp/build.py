"""From the files of a collection to the examples of one RBP, its transcript regions, and the rows that are analysed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.annotation import read_annotation_parquet
from nucleotune.genome.chain import read_chain
from nucleotune.genome.peaks import peak_examples, read_narrowpeak
from nucleotune.genome.ranking import COLUMNS, FEATURES, reference_transcripts
from nucleotune.genome.regions import carry_over, region_strings, transcript_regions
from nucleotune.sequence.shreps import MAX_LENGTH
from nucleotune.studies.rbp.readers import (
    read_fasta_pair,
    read_rbpsuite,
    read_strazar,
    read_table,
)
from nucleotune.studies.rbp.sample import assemble_splits, build_card, build_examples
from nucleotune.studies.splits import sample_rows


def build_rbp(
    files: Mapping[str, str],
    *,
    rbp: str,
    form: str,
    rows: Sequence[Mapping[str, str]],
    split: str,
    settings: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Examples, the rows that sampling left out, and the data card of one RBP.

    Args:
        files: by name as `studies.rbp.plan.rbp_files` names them; the annotation as Parquet.
        rbp: its name in the sheet, and in a file of all RBPs.
        form: `rbpsuite`, `fasta`, `table`, `strazar` or `narrowpeak`.
        rows: of the collection's sheet.
        split: `random` or `locus`, see `build_examples`; of files that come split it is not asked.
        settings: `per_class`, `min_per_class`, `fractions`, `seed` and `peaks` of the study.
    """
    fractions = settings["fractions"]
    described = [path for name, path in files.items() if name not in ("genome", "annotation")]
    # Of what is left when the test set is taken away.
    valid = fractions["valid"] / (fractions["train"] + fractions["valid"])
    common = {
        "per_class": settings["per_class"],
        "test": fractions["test"],
        "valid": valid,
        "seed": settings["seed"],
        "min_per_class": settings["min_per_class"],
        "source": f"RBP {rbp} ({', '.join(described)})",
    }
    read_one = read_strazar if form == "strazar" else read_table
    if "train" in files:
        parts = {
            part: read_one(files[part]) for part in ("train", "valid", "test") if part in files
        }
        examples, rest, counts = assemble_splits(parts, **common)
    else:
        cut = None
        if form == "rbpsuite":
            places = read_rbpsuite(files["sequences"], rbp)
        elif form == "fasta":
            places = read_fasta_pair(files["positives"], files["negatives"])
        elif form == "narrowpeak":
            places, cut = _from_peaks(files, rows, settings)
        else:
            places = read_one(files["sequences"])
        if cut:
            common["source"] += f", peaks {cut}"
        examples, rest, counts = build_examples(places, split=split, **common)
        if cut:
            counts = {**counts, "peaks": cut}
    return examples, rest, build_card(rbp, examples, rest, counts, described)


def _from_peaks(
    files: Mapping[str, str], rows: Sequence[Mapping[str, str]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, int]]:
    tables: dict[str, list[pd.DataFrame]] = {}
    for number, row in enumerate(rows):
        peaks = read_narrowpeak(files[f"peaks_{number}"])
        tables.setdefault(row["cell_line"], []).append(peaks)
    by_line = {line: pd.concat(parts, ignore_index=True) for line, parts in tables.items()}
    annotation = read_annotation_parquet(files["annotation"], columns=COLUMNS, features=FEATURES)
    return peak_examples(
        by_line,
        reference_transcripts(annotation),
        files["genome"],
        **settings["peaks"],
        seed=settings["seed"],
    )


def regions_of(
    places: pd.DataFrame,
    annotation: str | Path,
    *,
    genome: str | Path | None = None,
    chain: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Transcript region of each nucleotide of the sequences whose place is known, and how many places were lost how.

    Args:
        places: rows of examples with `seqname`, `start`, `end`, `strand`.
        annotation: Parquet of an annotation with support levels.
        genome: of the annotation's assembly; sequences that differ from it are left out.
        chain: from the places' assembly to the annotation's; None where they are the same.

    Returns:
        Columns `id` and `regions` (`genome.regions.region_strings`), and counts of `carry_over`.
    """
    rows = read_annotation_parquet(annotation, columns=COLUMNS, features=FEATURES)
    regions = transcript_regions(rows, reference_transcripts(rows))
    carried, counts = carry_over(places, read_chain(chain) if chain else None, genome)
    table = pd.DataFrame({"id": carried["id"], "regions": region_strings(carried, regions)})
    return table.reset_index(drop=True), counts


def analysis_rows(examples: pd.DataFrame, rest: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """The non-training set (BERT-RBP paper, section 2.2): all rows but those of training, at most `most` of them."""
    held_out = examples[examples["split"] != "train"].drop(columns="split")
    table = pd.concat([held_out, rest], ignore_index=True)
    return sample_rows(table, most, seed).reset_index(drop=True)


def to_shape(examples: pd.DataFrame, methods: Mapping[str, str], source: str) -> list[str]:
    """Sequences that are folded into shape representatives, for the methods (name -> baseline) that read these.

    iDeepS takes the first of them, because among structures of least free energy it is nearly always the one of
    RNAshapes (174 of 180 sequences of 101 nt; ViennaRNA's own 140); sequences too long for them it folds itself.

    Raises InputError where GraphProt meets a sequence that is too long; `source` names the examples in it.
    """
    long = examples["sequence"].str.len() > MAX_LENGTH
    needing = [name for name, baseline in methods.items() if baseline == "graphprot"]
    if needing and long.any():
        row = examples[long].iloc[0]
        raise InputError(
            f"{source}: {', '.join(needing)} takes sequences of at most {MAX_LENGTH} nt, found {int(long.sum())} of"
            f" {len(examples)} longer than that, such as {row['id']!r} with {len(row['sequence'])} nt; cut them to a"
            " shorter window, remove the method from rbp.methods, or use graphprot-sequence, which folds nothing"
        )
    return examples.loc[~long, "sequence"].tolist() if methods else []


def with_properties(
    rows: pd.DataFrame, *, regions: pd.DataFrame | None, structures: pd.DataFrame | None
) -> pd.DataFrame:
    """Rows with `regions` and `elements`, one letter per nucleotide, None where they are not known or not asked for."""
    found = rows[["id", "sequence"]].copy()
    for name, table, key in (("regions", regions, "id"), ("elements", structures, "sequence")):
        known = {} if table is None else dict(zip(table[key], table[name], strict=True))
        found[name] = pd.Series(
            [known.get(value) for value in found[key]], index=found.index, dtype=object
        )
    return found
