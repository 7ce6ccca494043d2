"""Tasks 3 and 4 of the promoter study: genes of high or low expression, protein-coding or lncRNA genes.

Builders return rows with columns id and group (the gene), sequence, label and metadata, without a split, and the
beginning of the data card. Common arguments:

genes    one row per gene, of the annotation: gene_id, gene_version, gene_name, gene_biotype (of BIOTYPES, see
         `named_biotypes`), seqname, strand, tss
windows  promoter sequences, at least columns id and sequence; they end a fixed number of nt downstream of the TSS, so
         that a shorter promoter is the end of a longer one
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.windows import window_starts
from nucleotune.studies.promoters.expression_classes import (
    UNIVERSES,
    classify,
    describe_tpm,
    select_tissues,
)
from nucleotune.studies.promoters.tasks import Built, Waterfall, waterfall_step, with_sequence
from nucleotune.studies.splits import sample_rows

log = logging.getLogger(__name__)

BIOTYPES = ("protein_coding", "lncRNA")

#: What samples the larger class down where no key of the configuration does.
EQUAL = "classes of this task are equally large"

#: Where the genes of Task 4 come from: the annotation; those of it in the expression file; those in it with the same
#: version.
POOLS = ("gtf", "gtex_joined", "gtex_version_exact")

#: What the paper prints of Task 3 (section 4.1): genes by class and biotype.
PAPER_CLASSES = {
    "high": {"protein_coding": 2_740, "lncRNA": 32},
    "low": {"protein_coding": 782, "lncRNA": 1_990},
}
#: What the paper prints of Task 4: genes of each class, and how many of them Task 3 has too.
PAPER_TASK4 = {"per_class": 10_239, "in_task3": {"protein_coding": 2_546, "lncRNA": 2_022}}

#: Least share of the genes of the annotation, or of the expression file if that has fewer, that are in the other one.
#: Releases of one annotation share more; ids of two kinds, or of two species, share none.
MIN_JOINED = 0.5


def named_biotypes(genes: pd.DataFrame, biotypes: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Genes of the two classes, their `gene_biotype` being the name of the class.

    biotypes: class (of BIOTYPES) -> gene biotypes of the annotation. Raises InputError where a class has no gene.
    """
    if genes["gene_biotype"].isna().all():
        raise InputError(
            "no gene has a biotype (attribute gene_biotype, gene_type or biotype); without it protein-coding"
            " and lncRNA genes cannot be told apart: use the annotation of Ensembl, GENCODE or NCBI"
        )
    found = genes["gene_biotype"].astype(str).fillna("none")
    classes = found.map({one: name for name, ones in biotypes.items() for one in ones})
    for name in BIOTYPES:
        if not (classes == name).any():
            there = ", ".join(f"{one} ({n})" for one, n in found.value_counts().head(12).items())
            raise InputError(
                f"no gene of biotype {' or '.join(biotypes[name])}; found {there}. Say which of these are"
                f" {name} genes: promoters.biotypes.{name} of the species file"
            )
    return genes.assign(gene_biotype=classes)[classes.notna()].reset_index(drop=True)


def check_joined(
    genes: pd.DataFrame, expression: pd.DataFrame, files: Mapping[str, str | Path]
) -> None:
    """Raise InputError unless MIN_JOINED of the genes of annotation or expression file are in the other.

    files: paths of `annotation` and `expression`, for the message.
    """
    ids = genes["gene_id"].astype(str)
    joined, smaller = int(ids.isin(expression.index).sum()), min(len(ids), len(expression))
    if joined < max(1, MIN_JOINED * smaller):
        theirs, ours = (", ".join(list(names)[:3]) for names in (expression.index, ids))
        raise InputError(
            f"{files['expression']}: {joined} of the {len(ids)} protein-coding and lncRNA genes of"
            f" {files['annotation']} are among its {len(expression)} genes, expected at least {MIN_JOINED:.0%}"
            f" of the smaller number; it has {theirs}, the annotation {ours}. Use files of the same species"
            " that name genes by the same ids (versions after a dot do not matter in Ensembl's)"
        )


def expression_genes(
    genes: pd.DataFrame,
    expression: pd.DataFrame,
    windows: pd.DataFrame,
    *,
    length: int,
    exclude_tissues: Sequence[str],
    universe: str,
    seed: int,
) -> Built:
    """Task 3: promoters of genes expressed highly in all tissues (label 1) or lowly in all (label 0).

    expression: median TPM, one row per gene id, one column per tissue (and `gene_version`). windows: as long as the
        longest
    promoter asked for, so that all lengths have the same genes; the last `length` nt of each are taken. universe: genes
    that percentiles are taken over, of `expression_classes.UNIVERSES`. The larger class is sampled down.

    The card has, for every universe, genes by class and biotype before and after sampling beside the paper's
    (`expression_classes`), and `tpm`, the paper's Table 3. Raises InputError when a class has no gene.
    """
    if universe not in UNIVERSES:
        raise InputError(
            f"percentile universe {universe!r}; expected one of {', '.join(UNIVERSES)}"
        )
    tpm = select_tissues(expression, exclude_tissues)
    annotated = _as_examples(genes)
    joined = annotated[annotated["id"].isin(tpm.index)]
    placed = with_sequence(joined, windows)
    waterfall = [
        *_steps("in the annotation", annotated, annotated),
        *_steps("in the expression file", annotated, joined),
        *_steps("promoter in the genome", joined, placed),
    ]
    if placed.empty:
        raise InputError(
            f"Task 3: of {len(annotated)} protein-coding and lncRNA genes {len(joined)} are in the expression"
            f" file, but none of these has one of the {len(windows)} promoters in the genome; do the files"
            " belong together?"
        )
    over = {
        "all": tpm,
        "joined": tpm.loc[joined["id"]],
        "pool": tpm.loc[placed["id"]],
    }
    counts, samples = {}, {}
    for name in UNIVERSES:
        classes, zeros = classify(over["pool"], over[name])
        classed = placed.assign(expression=classes.to_numpy())
        classed = classed[classed["expression"] != ""]
        samples[name] = classed, _equal_classes(classed, seed)
        counts[name] = {
            "genes_in_universe": len(over[name]),
            "tissues_with_low_percentile_0": zeros,
            "classified": _cross(classed),
            "sampled": _cross(samples[name][1]),
        }
        log.info("percentiles over %s: %s", name, counts[name])
    classed, table = samples[universe]
    for name in PAPER_CLASSES:
        before, after = (part[part["expression"] == name] for part in samples[universe])
        if after.empty:
            raise InputError(
                f"no gene of {name} expression in all {tpm.shape[1]} tissues with percentiles over {universe!r}; "
                f"genes found: {_cross(classed)}; use another universe or exclude tissues"
            )
        waterfall += [
            waterfall_step(name, "by percentile in all tissues", before, before),
            waterfall_step(name, "sampled to equal classes", before, after, EQUAL),
        ]
    card = {
        "waterfall": waterfall,
        "universe": universe,
        "tissues": list(tpm.columns),
        "expression_classes": {**counts, "published": PAPER_CLASSES},
        "tpm": describe_tpm(tpm, joined.set_index("id")["gene_biotype"]),
    }
    label = (table["expression"] == "high").astype(int)
    return _trim(table.assign(label=label), length).drop(columns="gene_version"), card


def biotype_genes(
    genes: pd.DataFrame,
    windows: pd.DataFrame,
    *,
    length: int,
    pool: str,
    expression: pd.DataFrame | None,
    n_per_class: int | None,
    drop_overlapping_promoters: bool,
    downstream: int,
    seed: int,
) -> Built:
    """Task 4: promoters of protein-coding genes (label 1) and of lncRNA genes (label 0).

    pool: one of POOLS; `expression` is needed by all but `gtf`. n_per_class: genes of each class to draw, None for as
    many as the smaller class has. drop_overlapping_promoters: leave out each gene whose promoter, on either strand,
    shares a base with that of another gene of the pool. downstream: nt of a promoter after the TSS. Raises InputError
    when there are fewer genes than `n_per_class`.
    """
    table = _as_examples(genes)
    waterfall = _steps("in the annotation", table, table)

    def keep(step: str, kept: pd.DataFrame) -> pd.DataFrame:
        waterfall.extend(_steps(step, table, kept))
        return kept

    if pool not in POOLS:
        raise InputError(f"pool {pool!r} of genes; expected one of {', '.join(POOLS)}")
    if pool != "gtf":
        table = keep(_POOL_STEPS[pool], table[_in_expression(table, expression, pool)])
    table = keep("promoter in the genome", _trim(with_sequence(table, windows), length))
    if drop_overlapping_promoters:
        table = keep("no overlapping promoter", table[~overlapping(table, length, downstream)])
    sizes = {name: int((table["gene_biotype"] == name).sum()) for name in BIOTYPES}
    n = min(sizes.values()) if n_per_class is None else n_per_class
    if min(sizes.values()) == 0:
        steps = "; ".join(f"{one['class']}, {one['step']}: {one['kept']}" for one in waterfall)
        raise InputError(
            f"Task 4: pool {pool!r} has no promoter of {min(sizes, key=sizes.get)} genes ({steps}); use another"
            " pool, or say which biotypes form this class: promoters.biotypes of the species file"
        )
    if n > min(sizes.values()):
        raise InputError(
            f"Task 4: {n} genes of each class requested, but pool {pool!r} has {sizes}; "
            "lower n_per_class, set it to null for as many as there are, or use another pool"
        )
    parts = [sample_rows(table[table["gene_biotype"] == name], n, seed) for name in BIOTYPES]
    drawn = pd.concat(parts, ignore_index=True)
    waterfall += _steps("sampled", table, drawn, "promoters.n_per_class" if n_per_class else EQUAL)
    table = drawn
    label = (table["gene_biotype"] == BIOTYPES[0]).astype(int)
    card = {"waterfall": waterfall, "pool": pool}
    return table.assign(label=label).drop(columns="gene_version"), card


def in_task3(genes: pd.DataFrame, task3: Collection[str]) -> dict[str, Any]:
    """How many genes of Task 4 (columns id and gene_biotype) are also in Task 3, by class, beside the paper's."""
    result = {}
    for name in BIOTYPES:
        ours = genes.loc[genes["gene_biotype"] == name, "id"].isin(set(task3))
        result[name] = {"n": int(ours.sum()), "share": float(ours.mean())}
    return {"in_task3": result, "published": PAPER_TASK4}


_POOL_STEPS = {
    "gtex_joined": "in the expression file",
    "gtex_version_exact": "same version in the expression file",
}


def overlapping(genes: pd.DataFrame, length: int, downstream: int) -> pd.Series:
    """Whether the promoter of each gene shares a base with that of another one, on either strand.

    genes: columns seqname, position (0-based TSS), strand. A promoter has `length` nt, `downstream` of them after the
    TSS. Promoters are equally long, so that one that overlaps any overlaps its neighbour.
    """
    starts = window_starts(genes, length, downstream)
    places = genes[["seqname"]].assign(start=starts)
    places = places.sort_values(["seqname", "start"], kind="stable")
    near = (places["start"].diff() < length) & (places["seqname"] == places["seqname"].shift())
    return (near | near.shift(-1, fill_value=False)).reindex(genes.index)


def _as_examples(genes: pd.DataFrame) -> pd.DataFrame:
    """Genes as examples, without sequence; InputError when one occurs twice."""
    table = pd.DataFrame(
        {
            "id": genes["gene_id"].astype(str),
            "group": genes["gene_id"].astype(str),
            "gene_version": pd.to_numeric(genes["gene_version"]).astype("float64"),
            "gene_name": genes["gene_name"].astype(object),
            "gene_biotype": genes["gene_biotype"].astype(str),
            "seqname": genes["seqname"].astype(str),
            "position": genes["tss"].astype("int64"),
            "strand": genes["strand"].astype(str),
        }
    )
    if table["id"].duplicated().any():
        raise InputError(
            f"annotation: gene {table.loc[table['id'].duplicated(), 'id'].iloc[0]!r} occurs twice"
        )
    return table


def _in_expression(genes: pd.DataFrame, expression: pd.DataFrame | None, pool: str) -> pd.Series:
    if expression is None:
        raise InputError(f"pool {pool!r} of genes needs an expression file")
    if pool == "gtex_joined":
        return genes["id"].isin(expression.index)
    versions = pd.to_numeric(expression["gene_version"]).astype("float64")
    return genes["id"].map(versions) == genes["gene_version"]


def _trim(table: pd.DataFrame, length: int) -> pd.DataFrame:
    """The last `length` nt of each sequence; InputError when one has fewer."""
    if (table["sequence"].str.len() < length).any():
        raise InputError(f"promoter windows are shorter than {length} nt; extract the longest")
    return table.assign(sequence=table["sequence"].str[-length:])


def _equal_classes(genes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As many random genes of high as of low expression, in the order of `genes`."""
    classes = [genes[genes["expression"] == name] for name in PAPER_CLASSES]
    n = min(map(len, classes))
    parts = [sample_rows(rows, n, seed) for rows in classes]
    return pd.concat(parts).sort_index().reset_index(drop=True)


def _cross(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Genes by class of expression and biotype."""
    counts = table.groupby(["expression", "gene_biotype"]).size().to_dict()
    return {
        name: {biotype: int(counts.get((name, biotype), 0)) for biotype in BIOTYPES}
        for name in PAPER_CLASSES
    }


def _steps(step: str, before: pd.DataFrame, after: pd.DataFrame, sampled_by: str = "") -> Waterfall:
    """One entry of the waterfall for each biotype."""
    parts = (
        (name, *(table[table["gene_biotype"] == name] for table in (before, after)))
        for name in BIOTYPES
    )
    return [waterfall_step(name, step, *tables, sampled_by) for name, *tables in parts]
