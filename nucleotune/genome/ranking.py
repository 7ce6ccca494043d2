"""One transcript for each gene: the most prominent one, in the order of section 2.4.2 of Yamada and Hamada
(Bioinformatics Advances 2022;2:vbac023): APPRIS annotation, transcript support level, length.
"""

import logging

import numpy as np
import pandas as pd

from nucleotune.errors import InputError

#: What of an annotation is needed here and for regions of transcripts; the support level is read where asked for.
FEATURES = ("exon", "CDS", "stop_codon")
COLUMNS = (
    *("feature", "seqname", "start", "end", "strand", "gene_id", "gene_name", "gene_biotype"),
    *("transcript_id", "transcript_biotype", "tag", "transcript_support_level"),
)

#: Rank of a transcript without such a mark.
_NONE = 1000
_APPRIS = r"(?:^|;)appris_(principal|alternative)_(\d)(?:;|$)"
#: Substitutes for APPRIS where a file has none, as tags of Ensembl and NCBI: the one transcript chosen for the gene,
#: then a coding part that Ensembl and NCBI agree on; then transcripts of a coding biotype.
_CHOSEN = {
    "MANE_Select": 1,
    "MANE Select": 1,
    "Ensembl_canonical": 2,
    "RefSeq Select": 2,
    "CCDS": 3,
}
_CODING = {"protein_coding": 4, "mRNA": 4}

_log = logging.getLogger(__name__)


def reference_transcripts(annotation: pd.DataFrame) -> pd.DataFrame:
    """Return the reference transcript of each gene, best first: its rank is the row's number.

    The order, within and between genes, is that of

    1. APPRIS: principal N before principal N + 1, then alternatives likewise, then transcripts without. Only GENCODE's
       files carry it. Where no transcript of a file does (Ensembl, NCBI), what APPRIS would mostly say stands in for
       it: a transcript tagged MANE Select comes first, then one tagged Ensembl canonical or RefSeq Select, then CCDS,
       then other protein-coding ones. Support level and length alone would often prefer retained introns to these.
    2. transcript support level, 1 to 5, then those without;
    3. length of the exons together, longest first;
    4. transcript id.

    Non-coding genes are ranked likewise, most of them by support level and length.

    Args:
        annotation: of `annotation.read_annotation(path, extra=["transcript_support_level"])`, at least COLUMNS of the
            rows of FEATURES. A transcript is what its exons are.

    Returns columns `gene_id`, `gene_name`, `gene_biotype`, `transcript_id`, `transcript_biotype`, `seqname`, `start`,
    `end` (0-based half-open), `strand`, `length` (nt of exons), `appris` (N, 100 + N for alternatives, 1000 without; or
    1 to 4 for its substitutes), `support_level` (6 without) and `rank`.

    Raises InputError for missing columns and where no transcript has an exon.
    """
    if missing := [name for name in COLUMNS if name not in annotation.columns]:
        raise InputError(
            f"annotation: no column {', '.join(missing)}; read it with extra=['transcript_support_level']"
        )
    exons = annotation[annotation["feature"] == "exon"]
    exons = exons[
        exons["gene_id"].notna() & exons["transcript_id"].notna() & exons["strand"].isin(("+", "-"))
    ]
    if exons.empty:
        raise InputError(
            "annotation: no exon with gene, transcript and strand; expected a full GTF or GFF3"
        )
    # The same identifiers may occur in two places (pseudo-autosomal genes, trans-splicing).
    place = ["gene_id", "transcript_id", "seqname", "strand"]
    of_transcript = exons.groupby(place, observed=True, sort=False).ngroup().to_numpy()
    first_exon = np.unique(of_transcript, return_index=True)[1]
    tags = exons["tag"].iloc[first_exon]
    levels = exons["transcript_support_level"].iloc[first_exon]
    table = exons.iloc[first_exon].assign(
        start=exons["start"].groupby(of_transcript).min().to_numpy(),
        end=exons["end"].groupby(of_transcript).max().to_numpy(),
        length=np.bincount(of_transcript, exons["end"] - exons["start"]).astype(np.int64),
        appris=_appris_ranks(tags, exons["transcript_biotype"].iloc[first_exon]).to_numpy(),
        support_level=levels.fillna(6).to_numpy(np.int64),
    )
    names = ("gene_id", "gene_name", "gene_biotype", "transcript_id", "transcript_biotype")
    table = table.astype({name: object for name in (*names, "seqname", "strand")})
    table = table.sort_values(
        ["appris", "support_level", "length", "transcript_id"],
        ascending=[True, True, False, True],
        kind="stable",
    ).drop_duplicates("gene_id", ignore_index=True)
    columns = [*names, "seqname", "start", "end", "strand", "length", "appris", "support_level"]
    return table[columns].assign(rank=np.arange(len(table)))


def _appris_ranks(tags: pd.Series, biotypes: pd.Series) -> pd.Series:
    """Rank by the tags (joined by ";") of each transcript; by these and its biotype where APPRIS is not among them."""
    tags = tags.astype("str")
    texts = pd.Series(tags.unique(), dtype="str")
    found = texts.str.extract(_APPRIS)
    if found[1].notna().any():
        ranks = pd.to_numeric(found[1]) + found[0].map({"principal": 0, "alternative": 100})
        return tags.map(dict(zip(texts, ranks, strict=True))).fillna(_NONE).astype(int)
    _log.info(
        "no APPRIS tags: MANE Select, canonical, CCDS and coding transcripts are used instead"
    )
    ranks = {
        text: min((_CHOSEN.get(tag, _NONE) for tag in text.split(";")), default=_NONE)
        for text in texts
    }
    coding = biotypes.astype(object).map(_CODING).fillna(_NONE)
    return np.minimum(tags.map(ranks), coding).astype(int)
