"""What a FASTA header says of its transcript, in the forms that the sources of transcripts write.

Ensembl   `ENST1.1 cds chromosome:GRCh38:1:65419:71585:1 gene:ENSG1.1 gene_biotype:protein_coding ..`; until release 84
          (Ensembl Genomes 31) a source or a status is in the second word: `cdna:known`, `havana:known`
GENCODE   `ENST1.1|ENSG1.1|OTTHUMG1|OTTHUMT1|DDX11L1-202|DDX11L1|1657|lncRNA|`
NCBI      `NM_000014.6 Homo sapiens alpha-2-macroglobulin (A2M), transcript variant 1, mRNA` (rna.fna), with the
          `gi|98|ref|NM_000014.6|` of old; or fields in brackets, `[gene=A2M]`, `[GeneID=2]`
FlyBase   `FBtr1 type=mRNA; loc=2R:join(1..9,20..31); name=a-RA; parent=FBgn1; ..`
gffread   `MSTRG.1.1 gene=MSTRG.1 CDS=1-99`, also in WormBase

Any other header gives an id, its first word, and no gene: a gene that a header does not name is not known, whatever its
id looks like.
"""

import re
from collections.abc import Mapping

#: Of all Ensembl files of transcripts (cds, cdna, ncrna, pep). Biotypes, symbol and description are optional, and the
#: description runs to the end of the line with blanks and colons in it.
ENSEMBL_HEADER = re.compile(
    r"^(?P<id>\S+) (?:(?:cds|cdna|ncrna|pep)(?::\S+)?|[\w.-]+:(?:known|novel|putative)\w*)"
    r" (?P<coord_system>[^:\s]+):(?P<assembly>[^:\s]*):(?P<seq_region>[^:\s]+)"
    r":(?P<start>\d+):(?P<end>\d+):(?P<strand>-?1) gene:(?P<gene>\S+)(?: transcript:\S+)?"
    r"(?: gene_biotype:(?P<gene_biotype>\S+))?(?: transcript_biotype:(?P<transcript_biotype>\S+))?"
    r"(?: gene_symbol:(?P<symbol>.+?))?(?: description:.*)?$"
)

# A biotype is given in files of all transcripts and in newer ones of lncRNAs; files of coding transcripts have the
# places of UTRs and CDS there instead.
_GENCODE = re.compile(
    r"^(?P<id>ENS[A-Z]*T\d+[^|\s]*)\|(?P<gene>ENS[A-Z]*G\d+[^|\s]*)\|[^|]*\|[^|]*\|[^|]*\|(?P<symbol>[^|]*)\|\d+"
    r"(?:\|(?P<transcript_biotype>\w+))?(?:\||$)"
)

# The symbol is in the last brackets before a comma; it may hold brackets itself, as flies' do: l(2)gl, Su(H). What
# follows the last comma is the kind of RNA.
_NCBI = re.compile(
    r"^(?P<id>(?:gi\|\d+\|ref\|)?[NX][MR]_\d+\S*) .*\((?P<gene>[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\),"
    r"(?: .*,)? (?P<transcript_biotype>[^,]*RNA)\b[^,]*$"
)

_BRACKETS = {
    key: re.compile(rf"\[{key}=([^\]\s]+)\]") for key in ("gene", "GeneID", "locus_tag", "gene_id")
}
_FLYBASE_GENE = re.compile(r"\bparent=(?:[^;\s]*,)?(FBgn\d+)")
_FLYBASE_TYPE = re.compile(r"\btype=(\w+)")
_FLYBASE_ARM = re.compile(r"\bloc=([^:;\s]+):")
_GENE = re.compile(r"\sgene=([^\s;]+)")


def parse_header(header: str, pattern: re.Pattern[str] | None = None) -> Mapping[str, str | None]:
    """Fields of a header: `id` always; `gene`, `gene_biotype`, `transcript_biotype`, `symbol`, `seq_region` if known.

    With a `pattern` (named groups, searched anywhere) a header that does not match raises ValueError, as does one with
    an empty id. Without one the forms above are tried. A field that is not there, None or empty is not known.
    """
    if pattern is not None:
        match = pattern.search(header)
        if match is None:
            raise ValueError("the header does not match the species' 'header' pattern")
        fields = {key: value or None for key, value in match.groupdict().items()}
        if fields["id"] is None:
            raise ValueError("the species' 'header' pattern finds an empty id")
        return fields
    for known in (ENSEMBL_HEADER, _GENCODE, _NCBI):
        if match := known.match(header):
            return match.groupdict()
    fields = {"id": header.split(maxsplit=1)[0]}
    if "type=" in header and (gene := _FLYBASE_GENE.search(header)):
        named = {"transcript_biotype": _FLYBASE_TYPE, "seq_region": _FLYBASE_ARM}
        found = {key: one.search(header) for key, one in named.items()}
        return fields | {"gene": gene[1]} | {key: one and one[1] for key, one in found.items()}
    for gene_of in (*_BRACKETS.values(), _GENE):
        if gene := gene_of.search(header):
            return fields | {"gene": gene[1]}
    return fields
