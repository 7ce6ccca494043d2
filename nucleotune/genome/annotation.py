"""Gene annotation as one table: GTF of Ensembl and GENCODE, GFF3 of Ensembl, GENCODE and NCBI.

One row per feature, in file order, coordinates 0-based half-open:

    feature             category  as written, but in GFF3 `gene` for every kind of gene and `transcript` for every
                                  kind of transcript; the kind (mRNA) is the biotype where the file gives no other
    seqname             category
    start, end          int64
    strand              category  "+", "-" or "."
    gene_id             category  without version: ENSG00000223972; what follows a version stays (.._PAR_Y)
    gene_version        Int32     from the file's own attribute or from the id
    gene_name, gene_biotype       category
    transcript_id, transcript_version, transcript_biotype      likewise, of the feature's transcript
    tag                 category  the tags joined by ";", "" without any
    exon_number         Int32     where asked for
    protein_id          category  where asked for, without version
    transcript_support_level      Int32  where asked for: Ensembl's, 1 to 5; missing for "NA"

What a file does not say is missing. A feature takes what its own line leaves out (in GFF3: nearly everything) from the
lines of its transcript and gene.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nucleotune.errors import InputError
from nucleotune.frames import read_arrow, read_metadata, write_parquet
from nucleotune.genome import hierarchy
from nucleotune.genome.columns import (
    identifier_columns,
    integer_column,
    renamed_column,
    support_level_column,
    text_column,
)
from nucleotune.genome.scanner import STRANDS, Features, scan

EXTRA_COLUMNS = ("exon_number", "protein_id", "transcript_support_level")

_GENE_COLUMNS = ("gene_id", "gene_version", "gene_name", "gene_biotype")
_TRANSCRIPT_COLUMNS = (
    *("transcript_id", "transcript_version", "transcript_biotype", "tag"),
    "transcript_support_level",
)

#: Metadata of a Parquet file: what `contig_names` found in the file that it was made from.
_CONTIGS = b"nucleotune.contig_names"

#: Keys of column 9 by what they are here.
_ATTRIBUTES = {
    "gene_id": ("gene_id",),
    "gene_version": ("gene_version",),
    "gene_name": ("gene_name", "gene"),
    "gene_biotype": ("gene_biotype", "gene_type"),
    "transcript_id": ("transcript_id",),
    "transcript_version": ("transcript_version",),
    "transcript_biotype": ("transcript_biotype", "transcript_type"),
    "tag": ("tag",),
}
_EXTRA_ATTRIBUTES = {
    "exon_number": ("exon_number", "rank"),
    "protein_id": ("protein_id",),
    "transcript_support_level": ("transcript_support_level",),
}
#: In GFF3 these speak of whatever feature the line is.
_GFF3_ATTRIBUTES = {
    name: (name,) for name in ("ID", "Parent", "Name", "biotype", "version", "genome", "chromosome")
}

_log = logging.getLogger(__name__)


def read_annotation(
    path: str | Path, *, extra: Iterable[str] = (), rename: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the features of a GTF or GFF3 file, plain or gzip, as the table described above.

    Args:
        path: the file; which of the formats it is follows from its first lines, not from its name.
        extra: further columns, of EXTRA_COLUMNS.
        rename: new names of contigs by the file's (see `contig_names`); a contig that is not in it keeps its name.

    Raises InputError for a line that is not of the format (with its number and what was expected), a GTF line without
    gene_id, a GFF3 parent that does not exist, and a damaged or empty file.
    """
    return read_with_contigs(path, extra=extra, rename=rename)[0]


def read_with_contigs(
    path: str | Path, *, extra: Iterable[str] = (), rename: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """`read_annotation` and `contig_names` of a file that is read once, as a pipe is."""
    extra = tuple(extra)
    gtf = {**_ATTRIBUTES, **{name: _EXTRA_ATTRIBUTES[name] for name in extra}}
    features = scan(path, gtf=gtf, gff3={**gtf, **_GFF3_ATTRIBUTES}, joined="tag")
    contigs = {}
    if features.gff3:
        contigs = _everyday_names(features)
        features = hierarchy.one_parent_each(features)
        genes, transcripts = hierarchy.from_gff3(features, path)
        features = hierarchy.named_as_in_gtf(features, genes, transcripts)
    else:
        _check_gene_ids(features, path)
        genes, transcripts = hierarchy.from_gtf(features)
    return _table(features, genes, transcripts, extra, rename or {}, path), contigs


def genes(annotation: pd.DataFrame) -> pd.DataFrame:
    """Return one row per gene: id, version, name, biotype, seqname, start, end, strand and `tss`, in file order.

    `tss` (int64) is the 0-based position of the first transcribed base: `start` on +, `end` - 1 on -. A gene without
    such a position (no strand, or rows on several contigs or strands, as after trans-splicing) is left out, and their
    number is logged. Raises InputError where there is no gene row at all.
    """
    columns = [*_GENE_COLUMNS, "seqname", "start", "end", "strand"]
    rows = annotation.loc[annotation["feature"] == "gene", columns]
    if rows.empty:
        raise InputError(
            "annotation: no rows with feature 'gene'; a full GTF or GFF3 has one per gene"
        )
    of_gene = rows.groupby("gene_id", observed=True, sort=False)
    single = rows["strand"].isin(("+", "-"))
    for column in ("seqname", "strand"):
        single &= of_gene[column].transform("nunique") == 1
    if not single.all():
        left_out = rows.loc[~single, "gene_id"].drop_duplicates()
        _log.warning(
            "%d genes, such as %s, are on no strand or on several strands or contigs and are left out",
            len(left_out),
            left_out.iloc[0],
        )
    rows = rows.assign(start=of_gene["start"].transform("min"), end=of_gene["end"].transform("max"))
    rows = _without_unused(rows[single].drop_duplicates("gene_id", ignore_index=True))
    return rows.assign(tss=np.where(rows["strand"] == "+", rows["start"], rows["end"] - 1))


def contig_names(path: str | Path) -> dict[str, str]:
    """Return the everyday names of the contigs of an NCBI GFF3, plain or gzip: BK006935.2 is I, NC_012920.1 is MT.

    Chromosomes and organelles only; scaffolds, which NCBI names after the chromosome they may lie on, are left out.
    Empty for files of other makers, whose contigs have such names already.
    """
    return read_with_contigs(path)[1]


def _everyday_names(features: Features) -> dict[str, str]:
    """Names of contigs by those in column 1, from the features `region` of whole chromosomes and organelles."""

    def text(name: str, row: int) -> str | None:
        code = int(features.codes[name][row])
        return features.strings[code].as_py() if code >= 0 else None

    names = {}
    region = pc.index(features.strings, pa.scalar("region", features.strings.type)).as_py()
    of_genome = features.codes["genome"] >= 0
    for row in np.flatnonzero((features.codes["feature"] == region) & of_genome):
        genome = text("genome", row)
        if genome != "genomic":
            name = text("chromosome" if genome == "chromosome" else "Name", row)
            names |= {text("seqname", row): unquote(name)} if name else {}
    return names


def write_annotation(
    annotation: pd.DataFrame, path: str | Path, contigs: Mapping[str, str] | None = None
) -> None:
    """Write an annotation as Parquet, atomically; `contigs` are everyday names of its contigs (`contig_names`)."""
    table = pa.Table.from_pandas(annotation, preserve_index=False)
    if contigs:
        table = table.replace_schema_metadata(
            {**table.schema.metadata, _CONTIGS: json.dumps(dict(contigs))}
        )
    write_parquet(path, table, row_group_size=1 << 19)


def read_annotation_parquet(
    path: str | Path,
    *,
    columns: Iterable[str] | None = None,
    features: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Read what `write_annotation` wrote, or only some columns and the rows of some features, such as "gene"."""
    filters = None if features is None else pc.is_in(pc.field("feature"), pa.array(list(features)))
    columns = None if columns is None else list(columns)
    table = read_arrow(path, columns=columns, filters=filters).to_pandas()
    return table if features is None else _without_unused(table)


def read_contig_names(path: str | Path) -> dict[str, str]:
    """Everyday names of the contigs that `write_annotation` was given; empty without any."""
    return json.loads(read_metadata(path).get(_CONTIGS, b"{}"))


def _without_unused(table: pd.DataFrame) -> pd.DataFrame:
    """Forget the categories of rows that are gone."""
    categories = table.columns[table.dtypes == "category"]
    return table.assign(**{name: table[name].cat.remove_unused_categories() for name in categories})


def _check_gene_ids(features: Features, path: str | Path) -> None:
    missing = np.flatnonzero(features.codes["gene_id"] < 0)
    if len(missing):
        row = missing[0]
        place = features.strings[int(features.codes["seqname"][row])].as_py()
        raise InputError(
            f"{path}: the feature at {place}:{features.start[row] + 1}-{features.end[row]} has no gene_id;"
            " every line of a GTF needs one"
        )


def _table(
    features: Features,
    genes: np.ndarray,
    transcripts: np.ndarray,
    extra: tuple[str, ...],
    rename: Mapping[str, str],
    path: str | Path,
) -> pd.DataFrame:
    """The table of `read_annotation`; a row takes what it lacks from the rows of its gene and transcript."""
    codes, strings = features.codes, features.strings
    for names, source in ((_GENE_COLUMNS, genes), (_TRANSCRIPT_COLUMNS, transcripts)):
        for name in (name for name in names if name in codes):
            inherits = (codes[name] < 0) & (source >= 0)
            codes[name] = np.where(inherits, codes[name][source], codes[name])

    def text(name: str) -> pd.Categorical:
        return text_column(codes[name], strings)

    def identifier(name: str) -> tuple[pd.Categorical, pd.array]:
        return identifier_columns(codes[f"{name}_id"], codes.get(f"{name}_version"), strings, path)

    gene_id, gene_version = identifier("gene")
    transcript_id, transcript_version = identifier("transcript")
    columns = {
        "feature": text("feature"),
        "seqname": renamed_column(codes["seqname"], strings, rename),
        "start": features.start,
        "end": features.end,
        "strand": pd.Categorical.from_codes(features.strand, STRANDS),
        "gene_id": gene_id,
        "gene_version": gene_version,
        "gene_name": text("gene_name"),
        "gene_biotype": text("gene_biotype"),
        "transcript_id": transcript_id,
        "transcript_version": transcript_version,
        "transcript_biotype": text("transcript_biotype"),
        "tag": text_column(codes["tag"], strings, fill=""),
    }
    if "exon_number" in extra:
        columns["exon_number"] = integer_column(codes["exon_number"], strings, "exon_number", path)
    if "protein_id" in extra:
        columns["protein_id"] = identifier("protein")[0]
    if "transcript_support_level" in extra:
        columns["transcript_support_level"] = support_level_column(
            codes["transcript_support_level"], strings
        )
    return pd.DataFrame(columns, copy=False)
