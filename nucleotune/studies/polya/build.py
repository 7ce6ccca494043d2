"""From the files of a species to the examples of the poly(A) study: reads them and calls the builder."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.genome.annotation import read_annotation_parquet, read_contig_names
from nucleotune.genome.ends import (
    combine,
    read_bed,
    read_bedgraphs,
    read_intact_orfs,
    read_table,
    read_tifseq,
)
from nucleotune.studies.polya.windows import PolyaExamples, build_examples

#: Features of the annotation that windows are made from.
FEATURES = ("CDS", "stop_codon")


def build_polya(
    files: Mapping[str, str], *, species: Mapping[str, Any], settings: Mapping[str, Any]
) -> PolyaExamples:
    """Examples and data card of one species.

    Args:
        files: by name as `studies.polya.plan.polya_files` names them; the annotation as Parquet, the genome unpacked.
        species: block `polya` of the species file: `ends`, `chromosomes`, `aliases`.
        settings: `length` and `min_reads` of the study.
    """
    entries = list(enumerate(species["ends"]))
    ends = [
        read_ends(files[f"ends_{number}"], entry, files.get(f"minus_{number}"))
        for number, entry in entries
    ]
    intact = [
        read_intact_orfs(files[f"ends_{number}"])
        for number, entry in entries
        if entry["format"] == "tifseq"
    ]
    intact = [table for table in intact if table is not None]
    return build_examples(
        read_annotation_parquet(files["annotation"], features=FEATURES),
        files["genome"],
        ends[0] if len(ends) == 1 else combine(ends),
        chromosomes=species["chromosomes"],
        # What the user says goes before what an NCBI file says of its contigs.
        aliases={**read_contig_names(files["annotation"]), **species["aliases"]},
        intact_orfs=pd.concat(intact, ignore_index=True) if intact else None,
        files={
            "annotation": files["annotation"],
            "ends": ", ".join(files[f"ends_{number}"] for number, _ in entries),
        },
        **settings,
    )


def read_ends(path: str, entry: Mapping[str, Any], minus: str | None = None) -> pd.DataFrame:
    """3' ends of one entry of `polya.ends` of a species file, as the readers of `genome.ends` return them.

    `minus` is the second file of format `bedgraph`. Raises InputError as the readers do.
    """
    if entry["format"] == "tifseq":
        return read_tifseq(path, entry["tracks"])
    if entry["format"] == "bed":
        return read_bed(path, entry["track"], entry["column"])
    if entry["format"] == "bedgraph":
        return read_bedgraphs(path, minus, entry["track"])
    return read_table(path, tracks=entry["tracks"], first=entry["first"], **entry["columns"])
