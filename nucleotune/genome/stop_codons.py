"""Where the coding sequences of an annotation end, whatever it takes a stop codon for.

GTF of Ensembl, GENCODE and NCBI has rows `stop_codon` and ends the CDS before them. GFF3 has no such rows (GENCODE's
has them too), and the stop codon is the end of the CDS. GTF of other makers may have neither: then it follows the CDS.
"""

import numpy as np
import pandas as pd

#: How an annotation gives the stop codon.
CONVENTIONS = ("stop_codon rows", "end of the CDS", "after the CDS")

_CODING = ("protein_coding", "mRNA")
_CANONICAL = r"(?:^|;)(?:MANE_Select|Ensembl_canonical)(?:;|$)"


def coding_genes(annotation: pd.DataFrame) -> pd.DataFrame:
    """Return one row per protein-coding gene that has a CDS, in file order.

    Of several transcripts that one counts whose stop codon is annotated (where the file has such rows), that is
    protein-coding itself, that is tagged MANE_Select or Ensembl_canonical, that has the longest CDS, or that comes
    first, in this order. A gene without any biotype is taken for coding.

    Args:
        annotation: rows of features CDS and stop_codon of `read_annotation`; others are passed over.

    Returns id (gene), seqname, strand, start and end of the CDS (int64, 0-based half-open), `last` (length of its last
    piece, nt), and `stop_start`, `stop_end` (int64, as the file says; -1 where it does not).
    """
    coding = (
        annotation["gene_biotype"].isin(("protein_coding",)) | annotation["gene_biotype"].isna()
    )
    rows = annotation[coding & annotation["feature"].isin(("CDS", "stop_codon"))]
    rows = rows[rows["strand"].isin(("+", "-"))]
    key = ["gene_id", "transcript_id", "seqname", "strand"]
    rows = rows.assign(**{name: rows[name].astype("str").fillna("") for name in key})
    rows["length"] = rows["end"] - rows["start"]
    is_stop = rows["feature"] == "stop_codon"
    cds = rows[~is_stop].groupby(key, sort=False)
    spans = cds.agg(
        start=("start", "min"),
        end=("end", "max"),
        nt=("length", "sum"),
        biotype=("transcript_biotype", "first"),
        tag=("tag", "first"),
    )
    # The last piece on + has the largest end, on - the smallest start.
    by_end = rows[~is_stop].sort_values("end", kind="stable").groupby(key, sort=False)["length"]
    by_start = rows[~is_stop].sort_values("start", kind="stable").groupby(key, sort=False)["length"]
    minus = spans.index.get_level_values("strand") == "-"
    spans["last"] = by_end.last().reindex(spans.index)
    spans["last"] = spans["last"].where(~minus, by_start.first().reindex(spans.index))
    stops = rows[is_stop].groupby(key, sort=False)
    stops = stops.agg(stop_start=("start", "min"), stop_end=("end", "max"))
    spans = spans.join(stops).fillna({"stop_start": -1, "stop_end": -1})
    spans = spans.astype({"stop_start": np.int64, "stop_end": np.int64}).reset_index()
    rank = pd.DataFrame(
        {
            "gene": pd.factorize(spans["gene_id"])[0],
            "without_stop": spans["stop_start"] < 0,
            "not_coding": ~(spans["biotype"].isin(_CODING) | spans["biotype"].isna()),
            "not_canonical": ~spans["tag"].astype("str").str.contains(_CANONICAL),
            "shortness": -spans["nt"],
        }
    )
    order = rank.sort_values(list(rank), kind="stable").index
    chosen = spans.loc[order].drop_duplicates("gene_id", ignore_index=True)
    columns = ["id", "seqname", "strand", "start", "end", "last", "stop_start", "stop_end"]
    return chosen.rename(columns={"gene_id": "id"})[columns]


def stop_positions(genes: pd.DataFrame, convention: str) -> pd.Series:
    """First base (0-based) of each stop codon under one of CONVENTIONS, -1 where there is none in one piece.

    genes: of `coding_genes`.
    """
    plus = genes["strand"] == "+"
    if convention == "stop_codon rows":
        whole = genes["stop_end"] - genes["stop_start"] == 3
        first = genes["stop_start"].where(plus, genes["stop_end"] - 1)
    elif convention == "end of the CDS":
        whole = genes["last"] >= 3
        first = (genes["end"] - 3).where(plus, genes["start"] + 2)
    else:
        whole = genes["last"] > 0
        first = genes["end"].where(plus, genes["start"] - 1)
    return first.where(whole, -1)
