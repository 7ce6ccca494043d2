"""From the files of a species to the examples of one task: reads them and calls the task's builder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.genome.annotation import genes, read_annotation_parquet
from nucleotune.genome.expression import read_gct
from nucleotune.genome.identifiers import match_contigs
from nucleotune.genome.windows import extract_windows, open_genome, random_windows
from nucleotune.plan.promoters import LENGTH
from nucleotune.studies.epd import read_motifs, read_promoters, without_tata
from nucleotune.studies.gue import gue_waterfall, read_gue
from nucleotune.studies.promoters import finish
from nucleotune.studies.promoters_genes import biotype_genes, expression_genes
from nucleotune.studies.promoters_tasks import (
    Built,
    Waterfall,
    artificial,
    promoter_sequences,
    random_negatives,
)

#: More random windows than promoters are drawn, since some hold letters other than ACGT.
SPARE = 1.1

Counts = dict[str, int]


def build_task(
    files: Mapping[str, str],
    *,
    task: str,
    length: int,
    split: str,
    species: Mapping[str, Any],
    settings: Mapping[str, Any],
    max_nt: Mapping[str, int],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Examples and data card of one task.

    Args:
        files: paths by name (`plan.promoters.task_files`); `genome` is plain FASTA, `annotation` Parquet.
        task: "task1" to "task4".
        length: of the promoters (nt); only Task 3 has others than LENGTH.
        split: "random" or "chromosome".
        species: a validated species file.
        settings: the study's part of the configuration.
        max_nt: letters that each model reads, for the card.

    Raises:
        InputError: see the builders.
    """
    counts: Counts | None = None
    if task in ("task3", "task4"):
        (table, card), counts = _genes(files, task, length, settings)
    elif settings["positives"] == "epd":
        (table, card), counts = _epd(files, task, species, settings)
    else:
        table, card = _gue(files, task, species, settings)
    return finish(
        table,
        card,
        task=task,
        split=split,
        fractions=settings["fractions"],
        chromosomes=settings["chromosomes"],
        seed=settings["seed"],
        max_nt=max_nt,
        downstream=settings["downstream"],
        windows=counts,
    )


def _genes(
    files: Mapping[str, str], task: str, length: int, settings: Mapping[str, Any]
) -> tuple[Built, Counts]:
    """Tasks 3 and 4; all lengths have the genes whose longest promoter can be extracted."""
    found = genes(read_annotation_parquet(files["annotation"]))
    expression = read_gct(files["expression"])
    longest = max(settings["lengths"])
    places = found.rename(columns={"gene_id": "id", "tss": "position"})
    windows, counts = extract_windows(
        files["genome"], places, max(longest, LENGTH), settings["downstream"]
    )
    shared = {"length": length, "seed": settings["seed"]}
    task3 = expression_genes(
        found,
        expression,
        windows,
        exclude_tissues=settings["exclude_tissues"],
        universe=settings["universe"],
        **shared,
    )
    if task == "task3":
        return task3, counts
    built = biotype_genes(
        found,
        windows,
        pool=settings["pool"],
        expression=expression,
        n_per_class=settings["n_per_class"],
        drop_overlapping_promoters=settings["drop_overlapping_promoters"],
        downstream=settings["downstream"],
        task3=task3[0]["id"],
        **shared,
    )
    return built, counts


def _epd(
    files: Mapping[str, str], task: str, species: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Built, Counts]:
    """Tasks 1 and 2 from EPDnew and the genome."""
    expected = (species["promoters"]["epd"] or {}).get("expected")
    promoters, waterfall = without_tata(
        read_promoters(files["promoters"]), read_motifs(files["motifs"]), expected
    )
    promoters = promoters.assign(seqname=_contigs(files["genome"], promoters["seqname"]))
    windows, counts = extract_windows(
        files["genome"], promoters, LENGTH, downstream=settings["downstream"]
    )
    positives, waterfall = promoter_sequences(promoters, windows, waterfall)
    if task == "task1":
        return artificial(positives, waterfall, settings["shuffle"], settings["seed"]), counts
    return _task2(files, positives, waterfall, settings), counts


def _gue(
    files: Mapping[str, str], task: str, species: Mapping[str, Any], settings: Mapping[str, Any]
) -> Built:
    """Tasks 1 and 2 from GUE's files; a single file is split anew."""
    expected = (species["promoters"]["gue"] or {}).get("expected")
    parts = ("train", "valid", "test")
    table = read_gue(
        {part: files[f"gue_{part}"] for part in parts if f"gue_{part}" in files}, expected
    )
    if table["split"].nunique() == 1:
        table = table.drop(columns="split")
    if task == "task1":
        return table, {"waterfall": gue_waterfall(table)}
    positives = table[table["label"] == 1].reset_index(drop=True)
    return _task2(files, positives, gue_waterfall(positives), settings)


def _task2(
    files: Mapping[str, str],
    positives: pd.DataFrame,
    waterfall: Waterfall,
    settings: Mapping[str, Any],
) -> Built:
    """Promoters beside random places of the contigs that have promoters."""
    known = read_promoters(files["promoters"])
    known = known.assign(seqname=_contigs(files["genome"], known["seqname"]))
    after = settings["downstream"]
    start = known["position"] - np.where(known["strand"] == "+", LENGTH - after - 1, after)
    exclude = pd.DataFrame({"seqname": known["seqname"], "start": start, "end": start + LENGTH})
    negatives, _ = random_windows(
        files["genome"],
        round(SPARE * len(positives)),
        LENGTH,
        exclude=exclude,
        margin=settings["margin"],
        seed=settings["seed"],
        contigs=sorted(known["seqname"].unique()),
    )
    negatives = negatives.assign(position=negatives["start"])
    return random_negatives(positives, waterfall, negatives, settings["seed"])


def _contigs(genome: str, names: pd.Series) -> pd.Series:
    """Names of chromosomes as the genome has them."""
    with open_genome(genome) as fasta:
        return match_contigs(names, fasta.keys())
