"""From the files of a species to the examples of one task: reads them and calls the task's builder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.annotation import genes, read_annotation_parquet, read_contig_names
from nucleotune.genome.contigs import rename_contigs
from nucleotune.genome.expression import read_gct
from nucleotune.genome.genome_file import open_genome
from nucleotune.genome.windows import (
    Windows,
    extract_windows,
    random_windows,
    window_starts,
)
from nucleotune.studies.promoters.epd import read_motifs, read_promoters, without_tata
from nucleotune.studies.promoters.expression_classes import select_tissues
from nucleotune.studies.promoters.finish import finish
from nucleotune.studies.promoters.genes import (
    biotype_genes,
    check_joined,
    expression_genes,
    named_biotypes,
)
from nucleotune.studies.promoters.gue import gue_waterfall, read_gue
from nucleotune.studies.promoters.plan import LENGTH
from nucleotune.studies.promoters.protocol import SMALL_TISSUES
from nucleotune.studies.promoters.tasks import (
    Built,
    Waterfall,
    artificial,
    promoter_sequences,
    random_negatives,
)

Counts = dict[str, int]


def build_task(
    files: Mapping[str, str],
    *,
    task: str,
    length: int,
    split: str,
    species: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Examples and data card of one task.

    Args:
        files: paths by name (`studies.promoters.plan.task_files`); `genome` is FASTA, plain or bgzip, `annotation`
            Parquet.
        task: "task1" to "task4".
        length: of the promoters (nt); only Task 3 has others than LENGTH.
        split: "random" or "chromosome".
        species: of `studies.promoters.protocol.species_read`.
        settings: of `studies.promoters.protocol.settings_read`.

    Raises:
        InputError: see the builders.
    """
    counts: Counts | None = None
    if task in ("task3", "task4"):
        (table, card), counts = _genes(files, task, length, species, settings)
    elif settings["positives"] == "epd":
        (table, card), counts = _epd(files, task, species, settings)
    else:
        table, card = _gue(files, task, species, settings)
    return finish(
        table,
        card,
        task=task,
        split=split,
        fractions=settings.get("fractions", {}),
        chromosomes=settings.get("chromosomes", {}),
        seed=settings["seed"],
        downstream=settings["downstream"],
        windows=counts,
    )


def _genes(
    files: Mapping[str, str],
    task: str,
    length: int,
    species: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> tuple[Built, Counts]:
    """Tasks 3 and 4; all lengths of Task 3 have the genes whose longest promoter can be extracted."""
    annotated = genes(read_annotation_parquet(files["annotation"]))
    with _named(files["annotation"]):
        found = named_biotypes(annotated, species["biotypes"])
    expression = None
    if "expression" in files:
        expression = read_gct(files["expression"])
        check_joined(found, expression, files)
        _check_gtex(expression, species["expected"]["gtex"], settings, files["expression"])
    places = found.rename(columns={"gene_id": "id", "tss": "position"})
    windows, counts = _windows(
        files, "annotation", places, settings.get("longest", length), species, settings
    )
    with _named(*(files[name] for name in ("annotation", "expression") if name in files)):
        if task == "task3":
            return expression_genes(
                found,
                expression,
                windows,
                length=length,
                exclude_tissues=settings["exclude_tissues"],
                universe=settings["universe"],
                seed=settings["seed"],
            ), counts
        return biotype_genes(
            found,
            windows,
            length=length,
            pool=settings["pool"],
            expression=expression,
            n_per_class=settings["n_per_class"],
            drop_overlapping_promoters=settings["drop_overlapping_promoters"],
            downstream=settings["downstream"],
            seed=settings["seed"],
        ), counts


@contextmanager
def _named(*paths: str) -> Iterator[None]:
    """Around what sees tables alone: the message of an InputError begins with the files that they are of."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{', '.join(paths)}: {error}") from error


def _check_gtex(
    expression: pd.DataFrame,
    expected: Mapping[str, int] | None,
    settings: Mapping[str, Any],
    path: str,
) -> None:
    """Raise InputError for other numbers than expected; of tissues kept only where the paper's are left out."""
    tissues = expression.shape[1] - 1
    found = {"genes": len(expression), "tissues": tissues}
    excluded = settings.get("exclude_tissues", ())
    if sorted(excluded) == sorted(SMALL_TISSUES):
        found["kept"] = select_tissues(expression, excluded).shape[1]
    for name, number in found.items():
        if (expected or {}).get(name, number) != number:
            raise InputError(
                f"{path}: {number} {name if name != 'kept' else 'tissues kept'}, expected {expected[name]}; fetch the"
                " file again, or, for your own file, leave gtex.expected out of the species file"
            )


def _windows(
    files: Mapping[str, str],
    source: str,
    places: pd.DataFrame,
    length: int,
    species: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Windows:
    """Windows around places of the file `source`, with the counts of `extract_windows`.

    Raises InputError where none is left.
    """
    named = _renamed(files, source, places, species)
    windows, counts = extract_windows(files["genome"], named, length, settings["downstream"])
    unknown = len(places) - len(named)
    counts = {**counts, "places": len(places), "unknown_contig": unknown}
    if windows.empty:
        raise InputError(
            f"{files[source]} and {files['genome']}: no promoter is left of {counts['places']} positions:"
            f" {counts['unknown_contig']} on contigs missing from the genome, {counts['off_contig']} too close"
            f" to the end of a contig for {length} nt, {counts['not_acgt']} with letters other than"
            " ACGT (is the genome masked by N? use one that is soft-masked or not masked)"
        )
    return Windows(windows, counts)


def _epd(
    files: Mapping[str, str], task: str, species: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Built, Counts]:
    """Tasks 1 and 2 from EPDnew and the genome."""
    promoters, waterfall = without_tata(
        read_promoters(files["promoters"]),
        read_motifs(files["motifs"]),
        species["expected"]["epd"],
    )
    windows, counts = _windows(files, "promoters", promoters, LENGTH, species, settings)
    positives, waterfall = promoter_sequences(promoters, windows, waterfall)
    if task == "task1":
        return artificial(positives, waterfall, settings["shuffle"], settings["seed"]), counts
    return _task2(files, positives, waterfall, species, settings), counts


def _gue(
    files: Mapping[str, str], task: str, species: Mapping[str, Any], settings: Mapping[str, Any]
) -> Built:
    """Tasks 1 and 2 from GUE's files; a single file is split anew."""
    parts = ("train", "valid", "test")
    table = read_gue(
        {part: files[f"gue_{part}"] for part in parts if f"gue_{part}" in files},
        species["expected"]["gue"],
        # Beside windows of LENGTH, promoters of another length would be told by it alone.
        length=LENGTH if task == "task2" else None,
        classes=(1,) if task == "task2" else (0, 1),
    )
    if table["split"].nunique() == 1:
        table = table.drop(columns="split")
    if task == "task1":
        return table, {"waterfall": gue_waterfall(table)}
    positives = table[table["label"] == 1].reset_index(drop=True)
    return _task2(files, positives, gue_waterfall(positives), species, settings)


def _task2(
    files: Mapping[str, str],
    positives: pd.DataFrame,
    waterfall: Waterfall,
    species: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Built:
    """Promoters beside random places of the contigs that have promoters."""
    known = _renamed(files, "promoters", read_promoters(files["promoters"]), species)
    start = window_starts(known, LENGTH, settings["downstream"])
    negatives = random_windows(
        files["genome"],
        len(positives),
        LENGTH,
        exclude=pd.DataFrame({"seqname": known["seqname"], "start": start, "end": start + LENGTH}),
        margin=settings["margin"],
        seed=settings["seed"],
        contigs=sorted(known["seqname"].unique()),
    )
    return random_negatives(
        positives, waterfall, negatives, settings["downstream"], settings["seed"]
    )


def _renamed(
    files: Mapping[str, str], source: str, places: pd.DataFrame, species: Mapping[str, Any]
) -> pd.DataFrame:
    """Places of the file `source` with the genome's names of contigs, without those on contigs that it lacks."""
    names = read_contig_names(files["annotation"]) if source == "annotation" else {}
    with open_genome(files["genome"]) as fasta:
        named, _ = rename_contigs(
            places,
            list(fasta.keys()),
            {**names, **species["aliases"]},
            source=files[source],
            genome=files["genome"],
        )
    return named.assign(seqname=named["seqname"].astype(str)).reset_index(drop=True)
