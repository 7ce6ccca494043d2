"""GTF and GFF3, with what a feature takes from its gene and transcript."""

import re
from urllib.parse import unquote

from harness import REFUSED, UNDECIDED, Case
from mutations import edit_cells, edit_lines, pack, plain_lines, sometimes

from nucleotune.genome.annotation import read_with_contigs

NOTES = ("#!genome-build x", "# note\twith\ttabs", "###", "##FASTA", "  ", "\t")
KEYS = {
    "gene_id": "gene_id",
    "gene_version": "gene_version",
    "gene_name": "gene_name",
    "gene": "gene_name",
    "gene_biotype": "gene_biotype",
    "gene_type": "gene_biotype",
    "transcript_id": "transcript_id",
    "transcript_version": "transcript_version",
    "transcript_biotype": "transcript_biotype",
    "transcript_type": "transcript_biotype",
    "tag": "tag",
}
GFF3_KEYS = ("ID", "Parent", "Name", "biotype", "version", "genome", "chromosome")
OF_GENE = ("gene_id", "gene_version", "gene_name", "gene_biotype")
OF_TRANSCRIPT = ("transcript_id", "transcript_version", "transcript_biotype", "tag")
COLUMNS = ("feature", "seqname", "start", "end", "strand", *OF_GENE, *OF_TRANSCRIPT)
PARTS = (
    *(
        "exon",
        "CDS",
        "UTR",
        "five_prime_UTR",
        "three_prime_UTR",
        "five_prime_utr",
        "three_prime_utr",
    ),
    *("start_codon", "stop_codon", "intron", "Selenocysteine"),
    "stop_codon_redefined_as_selenocysteine",
)
VALUES = (
    *(
        "ENSG00000000001.5",
        "ENSG00000000001.5_PAR_Y",
        "ENSG00000000001.99999999999",
        "NM_12.3",
        "A.1",
    ),
    *("two words", "a=b", "\u00fc", "x\u2028y", "%41", "%FF", "=1", "nan", "\u0661", ""),
)


def generate_lines(rng, rows, form):
    edit_cells(rng, rows, 0.15)
    lines = ["\t".join(row) for row in rows]
    edit_lines(rng, lines, NOTES)
    if form == "GFF3" or sometimes(rng, 0.05):
        lines.insert(
            0, rng.choice(("##gff-version 3", "##gff-version   3.1.26", "##gff-version 3 "))
        )
    return pack(rng, "".join(line + "\n" for line in lines))


def columns(rng, features):
    start = rng.randrange(1, 1000)
    end = str(start + rng.choice((0, 5, 1000)))
    seqname = rng.choice(("1", "1.10", "01", "chrII", "X%20Y"))
    return [seqname, "made", rng.choice(features), str(start), end, ".", rng.choice("++-.?"), "."]


def generate_gtf(rng):
    rows = []
    for _ in range(rng.randrange(1, 10)):
        number = rng.randrange(3)
        attributes = [f'gene_id "G{number}"', f'transcript_id "G{number}.{rng.randrange(2)}"']
        more = [
            f"gene_version {rng.randrange(1, 30)}",
            'gene_biotype "lncRNA"',
            "level 2",
            'x "; gene_id Z"',
        ]
        more += [f'tag "{tag}"' for tag in rng.sample(("basic", "CCDS", "a,b"), rng.randrange(3))]
        more += [
            f'{key} "{rng.choice(VALUES)}"' for key in rng.sample(list(KEYS), rng.randrange(3))
        ]
        attributes += rng.sample(more, rng.randrange(len(more)))
        rng.shuffle(attributes)
        if sometimes(rng, 0.04):
            attributes.append(rng.choice(("lonely", 'open "x', "=", 'a  ""', "b\tc", "d e")))
        row = columns(rng, ("gene", "transcript", "exon", "CDS"))
        rows.append(
            [*row, rng.choice(("; ", ";", " ; ")).join(attributes) + rng.choice((";", "", "; "))]
        )
    return generate_lines(rng, rows, "GTF")


def generate_gff3(rng):
    rows, ids = [], []
    for number in range(rng.randrange(1, 10)):
        attributes, parents = [], []
        if ids and sometimes(rng, 0.7):
            parents = rng.sample(ids, min(len(ids), rng.choice((1, 1, 1, 2))))
            attributes.append("Parent=" + ",".join(parents))
        features = (
            ("mRNA", "exon", "CDS", "lnc_RNA") if parents else ("gene", "ncRNA_gene", "region", "x")
        )
        if sometimes(rng, 0.8):
            ids.append(rng.choice(("", "gene:", "gene-", "transcript:", "rna-")) + f"N{number}")
            attributes.insert(0, f"ID={ids[-1]}")
        if sometimes(rng, 0.03):
            attributes.append(f"Parent={rng.choice(('nobody', f'N{number}', 'a,,b'))}")
        more = [
            "Name=a%3Bb",
            "biotype=lncRNA",
            "version=3",
            "tag=basic,CCDS",
            "tag=x",
            "Note=\u00fc \u2028",
        ]
        more += ["genome=chromosome", "genome=genomic", "genome=mitochondrion", "chromosome=I%49"]
        more += [f"{key}={rng.choice(VALUES)}" for key in rng.sample([*KEYS, "version"], 2)]
        attributes += rng.sample(more, rng.randrange(5))
        if sometimes(rng, 0.03):
            attributes.append(rng.choice(("lonely", "=", "a=", "=b", " ")))
        text = ";".join(attributes) + rng.choice((";", "", "; "))
        rows.append([*columns(rng, features), text or "."])
    return generate_lines(rng, rows, "GFF3")


# --- the slow reading ---------------------------------------------------------------------------------------------

_GTF_ATTRIBUTE = re.compile(r'([^ ;]*+)[ \t]++(?:"(.*?)"[ \t]*(?=;|$)|([^;"][^;]*))')
_GFF3_ATTRIBUTE = re.compile(r"([^ ;=]*+)=()([^;]*)")


def is_gff3(lines):
    """None where it cannot be told."""
    for line in lines:
        if line.startswith("##gff-version") and line.split()[-1].startswith("3"):
            return True
        if line.strip() and not line.startswith("#"):
            attributes = line.encode().split(b"\t", 8)[-1].strip()
            match = re.match(rb"[^\s=;]+(=|\s+\S)", attributes)
            return match and match[1] == b"="
    return None


def attributes(text, gff3):
    """Pairs of column 9; None where it is malformed."""
    text, at, pairs = text.rstrip(" \t"), 0, []
    if gff3 and text == ".":
        return []
    while True:
        while at < len(text) and text[at] in " ;":
            at += 1
        if at == len(text):
            return pairs
        match = (_GFF3_ATTRIBUTE if gff3 else _GTF_ATTRIBUTE).match(text, at)
        if not match:
            return None
        pairs.append((match[1], match[2] or (match[3] or "").rstrip(" ")))
        at = match.end()


def feature(line, gff3):
    """A line as a dict; None where it is malformed."""
    cells = line.split("\t", 8)
    if len(cells) < 9 or cells[6] not in ("+", "-", ".", "?"):
        return None
    if not all(re.fullmatch("[0-9]{1,18}", cells[i]) for i in (3, 4)):
        return None
    start, end = int(cells[3]), int(cells[4])
    pairs = attributes(cells[8], gff3)
    if not 1 <= start <= end or pairs is None:
        return None
    row = dict.fromkeys((*COLUMNS, *GFF3_KEYS))
    row |= {"seqname": cells[0], "feature": cells[2], "start": start - 1, "end": end}
    row["strand"] = cells[6].replace("?", ".")
    for key, value in pairs:
        name = KEYS.get(key) or (key if gff3 and key in GFF3_KEYS else None)
        if not name or not value:
            continue
        if name == "tag":
            value = value.replace(",", ";") if gff3 else value
            row["tag"] = value if row["tag"] is None else f"{row['tag']};{value}"
        elif row[name] is None:
            row[name] = value
    return row


def everyday_names(rows):
    names = {}
    for row in rows:
        if row["feature"] == "region" and row["genome"] not in (None, "genomic"):
            name = row["chromosome" if row["genome"] == "chromosome" else "Name"]
            if name:
                names[row["seqname"]] = unquote(name)
    return names


def linked_by_parent(rows):
    """Rows of a GFF3, one a parent, with the rows of gene and transcript; REFUSED for parents that are none."""
    rows = [
        {**row, "Parent": parent}
        for row in rows
        for parent in ((row["Parent"] or "").split(",") if row["Parent"] else [None])
    ]
    first = {}
    for row in rows:
        if row["ID"] is not None:
            first.setdefault(row["ID"], row)
    for row in rows:
        above, ancestors = row, 0
        while above["Parent"] is not None:
            above, ancestors = first.get(above["Parent"]), ancestors + 1
            if above is None or ancestors == 10:
                return REFUSED
        row["root"] = above
    raw = [dict(row) for row in rows]
    genes = {
        id(row)
        for row in rows
        if row["Parent"] is None
        and row["ID"] is not None
        and (
            re.search("^(gene|pseudogene|.*_gene)$", row["feature"])
            or re.match("gene[:-]", row["ID"])
        )
    }
    for row, was in zip(rows, raw, strict=True):
        row["of_gene"] = row["root"] if id(row["root"]) in genes else None
        above = first[was["Parent"]] if was["Parent"] is not None else None
        row["of_transcript"] = row
        if was["feature"] in PARTS:
            row["of_transcript"] = None if above is row["of_gene"] else above
        if row["of_gene"] is None or id(row) in genes:
            row["of_transcript"] = None
    for row, was in zip(rows, raw, strict=True):
        bare = was["ID"] and re.sub("^(gene|transcript|rna)[:-]", "", was["ID"])
        for level in ("gene", "transcript"):
            if row[f"of_{level}"] is row:
                for name, other in (
                    ("id", bare),
                    ("version", was["version"]),
                    ("biotype", was["biotype"]),
                ):
                    if row[f"{level}_{name}"] is None:
                        row[f"{level}_{name}"] = other
                row["feature"] = level
        if row["of_gene"] is row and row["gene_name"] is None:
            row["gene_name"] = was["Name"]
        if row["of_transcript"] is row and row["transcript_biotype"] is None:
            row["transcript_biotype"] = was["feature"]
    for row in rows:
        for name in COLUMNS:
            if isinstance(row[name], str):
                row[name] = unquote(row[name])
    return rows


def linked_by_id(rows):
    """Rows of a GTF with those of gene and transcript."""
    if any(row["gene_id"] is None for row in rows):
        return REFUSED
    for row in rows:
        for level in ("gene", "transcript"):
            name = row[f"{level}_id"]
            same = [one for one in rows if one["feature"] == level and one[f"{level}_id"] == name]
            row[f"of_{level}"] = same[0] if same and name is not None else None
    return rows


def identifier(name, version):
    match = re.match(
        r"(ENS[A-Z]*[0-9]{11}|[NX][MRP]_[0-9]+)\.([0-9]{1,9})(|[^0-9].*)$", name or "", re.S
    )
    if match:
        return match[1] + match[3], int(match[2]) if version is None else int(version)
    return name, None if version is None else int(version)


def oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return UNDECIDED  # text that is not UTF-8 is passed over where nothing is read of it
    lines = [line for line in lines]
    gff3 = is_gff3(lines)
    if gff3 is None:
        return REFUSED
    rows = []
    for line in lines:
        if line.startswith("##FASTA"):
            break
        if line.strip(" \t") and not line.startswith("#"):
            rows.append(feature(line, gff3))
    if None in rows:
        return REFUSED
    contigs = everyday_names(rows) if gff3 else {}
    rows = linked_by_parent(rows) if gff3 else linked_by_id(rows)
    if rows is REFUSED:
        return REFUSED
    before = [dict(row) for row in rows]
    by_row = {id(row): copy for row, copy in zip(rows, before, strict=True)}
    table = []
    for row in rows:
        for level, names in (("gene", OF_GENE), ("transcript", OF_TRANSCRIPT)):
            source = by_row.get(id(row[f"of_{level}"]), {})
            for name in names:
                if row[name] is None:
                    row[name] = source.get(name)
        for level in ("gene", "transcript"):
            version = row[f"{level}_version"]
            if version is not None and not re.fullmatch("[0-9]{1,9}", version):
                return REFUSED
            row[f"{level}_id"], row[f"{level}_version"] = identifier(row[f"{level}_id"], version)
        row["tag"] = row["tag"] or ""
        table.append([row[name] for name in COLUMNS])
    return [table, contigs]


def run(path):
    table, contigs = read_with_contigs(path)
    table = table[list(COLUMNS)].astype(object)
    return [table.where(table.notna(), None).to_numpy().tolist(), contigs]


CASES = [Case("GTF", generate_gtf, run, oracle), Case("GFF3", generate_gff3, run, oracle)]
