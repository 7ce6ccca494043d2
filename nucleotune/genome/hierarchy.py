"""Which gene and which transcript every feature of an annotation belongs to, for GTF and for GFF3.

GTF says so on every line. GFF3 links a feature to its parent: exon to transcript, transcript to gene. Ensembl, GENCODE
and NCBI agree on that and on little else: an ID is `gene:ENSG..`, `ENSG...5` or `gene-YAL068C`, a transcript is a
`mRNA`, `lnc_RNA` or `tRNA`, and coding parts may hang on a gene without a transcript between. The types here are terms
of the Sequence Ontology.
"""

from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nucleotune.errors import InputError
from nucleotune.genome.scanner import Features

#: What is part of a transcript; whatever else has a gene above it is taken for a transcript.
PARTS = (
    *("exon", "CDS", "UTR", "five_prime_UTR", "three_prime_UTR", "five_prime_utr"),
    *("three_prime_utr", "start_codon", "stop_codon", "intron", "Selenocysteine"),
    "stop_codon_redefined_as_selenocysteine",
)

_GENE_TYPE = r"^(gene|pseudogene|.*_gene)$"
_GENE_ID = r"^gene[:-]"
_DEEPEST = 10


def from_gtf(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each feature's gene and transcript, int64 (n,), -1 where the file has no such row."""
    codes, n_strings = features.codes, len(features.strings)
    feature = codes["feature"]
    return tuple(
        _first_rows(np.where(feature == _code(features, kind), codes[key], -1), n_strings)[
            codes[key]
        ]
        for kind, key in (("gene", "gene_id"), ("transcript", "transcript_id"))
    )


def from_gff3(features: Features, path) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each feature's gene and transcript, int64 (n,), -1 where it has none.

    Every feature has one parent at most: see `one_parent_each`. Raises InputError naming `path` for a parent that no
    feature has as its ID, and for features that are each other's parents.
    """
    codes, strings = features.codes, features.strings
    parent = _first_rows(codes["ID"], len(strings))[codes["Parent"]]
    lost = (codes["Parent"] >= 0) & (parent < 0)
    if lost.any():
        name = strings[int(codes["Parent"][lost][0])].as_py()
        raise InputError(
            f"{path}: a feature has Parent={name}, and no feature has ID={name}; was the file filtered?"
        )
    root = np.arange(len(parent))
    for _ in range(_DEEPEST):
        above = parent[root]
        if (above < 0).all():
            break
        root = np.where(above < 0, root, above)
    else:
        name = strings[int(codes["ID"][root[above >= 0][0]])].as_py()
        raise InputError(
            f"{path}: ID={name} has more than {_DEEPEST} ancestors; are features each other's Parent?"
        )
    is_gene = (parent < 0) & (codes["ID"] >= 0)
    is_gene &= (
        _matching(strings, _GENE_TYPE)[codes["feature"]] | _matching(strings, _GENE_ID)[codes["ID"]]
    )
    gene = np.where(is_gene[root], root, -1)
    is_part = pc.is_in(strings, pa.array(PARTS, strings.type)).to_numpy(zero_copy_only=False)
    is_part = is_part[codes["feature"]]
    above = np.where(parent == gene, -1, parent)
    transcript = np.where(is_part, above, np.arange(len(parent)))
    return gene, np.where((gene < 0) | is_gene, -1, transcript)


def one_parent_each(features: Features) -> Features:
    """Repeat a feature with `Parent=a,b` for each of its parents, as GTF would."""
    strings, parent = features.strings, features.codes["Parent"]
    several = pc.match_substring(strings, ",").to_numpy(zero_copy_only=False)
    several = (parent >= 0) & several[parent]
    if not several.any():
        return features
    known = {name: code for code, name in enumerate(strings.to_pylist())}
    new: list[str] = []
    parents: list[int] = []
    times = np.ones(len(parent), np.int64)
    for row in np.flatnonzero(several):
        names = strings[int(parent[row])].as_py().split(",")
        times[row] = len(names)
        for name in names:
            if name not in known:
                known[name] = len(known)
                new.append(name)
            parents.append(known[name])
    rows = np.repeat(np.arange(len(parent)), times)
    codes = {name: values[rows] for name, values in features.codes.items()}
    codes["Parent"][several[rows]] = parents
    strings = pa.concat_arrays([strings, pa.array(new, strings.type)])
    columns = (features.start[rows], features.end[rows], features.strand[rows])
    return Features(features.gff3, *columns, codes, strings)


def named_as_in_gtf(features: Features, genes: np.ndarray, transcripts: np.ndarray) -> Features:
    """Give the gene and transcript rows of a GFF3 the attributes and the feature they have in GTF, and decode %3B."""
    strings, n_strings = features.strings, len(features.strings)
    bare_ids = pc.replace_substring_regex(strings, r"^(gene|transcript|rna)[:-]", "")
    texts = pa.concat_arrays([strings, bare_ids, pa.array(["gene", "transcript"], strings.type)])
    decoded = texts.to_pylist()
    for i in np.flatnonzero(pc.match_substring(texts, "%")):
        decoded[i] = unquote(decoded[i])

    codes = features.codes
    codes["ID"] = np.where(codes["ID"] >= 0, codes["ID"] + n_strings, -1)
    rows = np.arange(len(features.start))
    for number, (level, of_level) in enumerate((("gene", genes), ("transcript", transcripts))):
        own = of_level == rows
        for name, other in (
            (f"{level}_id", "ID"),
            (f"{level}_version", "version"),
            (f"{level}_biotype", "biotype"),
        ):
            codes[name] = np.where(own & (codes[name] < 0), codes[other], codes[name])
        if level == "gene":
            named = own & (codes["gene_name"] < 0)
            codes["gene_name"] = np.where(named, codes["Name"], codes["gene_name"])
        else:
            without = own & (codes["transcript_biotype"] < 0)
            codes["transcript_biotype"] = np.where(
                without, codes["feature"], codes["transcript_biotype"]
            )
        codes["feature"] = np.where(own, 2 * n_strings + number, codes["feature"])
    return features._replace(strings=pa.array(decoded, strings.type))


def _first_rows(codes: np.ndarray, n_strings: int) -> np.ndarray:
    """Row in which each code occurs first, or -1; the last entry is that of code -1, so never a row."""
    rows = np.full(n_strings + 1, -1, np.int64)
    rows[codes[::-1]] = np.arange(len(codes))[::-1]
    rows[-1] = -1
    return rows


def _code(features: Features, text: str) -> int:
    return pc.index(features.strings, pa.scalar(text, features.strings.type)).as_py()


def _matching(strings: pa.LargeStringArray, pattern: str) -> np.ndarray:
    """Whether each string matches; the last entry is that of code -1."""
    found = pc.match_substring_regex(strings, pattern).to_numpy(zero_copy_only=False)
    return np.append(found, False)
