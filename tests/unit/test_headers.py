"""Headers of the sources that transcripts come from: id and gene of each form, and no gene where none is named."""

import re

import pytest

from nucleotune.sequence.headers import parse_header


def test_ensembl_header_with_colons_and_blanks_in_the_description():
    header = (
        "ENST1.5 cdna chromosome:GRCh38:CHR_HSCHR6_MHC_COX_CTG1:142:168:-1 gene:ENSG1.9 gene_biotype:TR_C_gene"
        " transcript_biotype:TR_C_gene gene_symbol:TRBC1 description:T cell: receptor [Source:HGNC Symbol;Acc:HGNC:1]"
    )
    fields = parse_header(header)
    assert fields["id"] == "ENST1.5" and fields["gene"] == "ENSG1.9"
    assert fields["symbol"] == "TRBC1" and fields["seq_region"] == "CHR_HSCHR6_MHC_COX_CTG1"


def test_ensembl_header_without_symbol():
    header = "T ncrna scaffold:X:KI27:1:9:1 gene:G gene_biotype:lncRNA transcript_biotype:lncRNA description:novel"
    fields = parse_header(header)
    assert fields["gene_biotype"] == "lncRNA" and fields["symbol"] is None


# id, gene, kind of RNA, and the header itself
HEADERS = {
    "ensembl": (
        *("ENST00000641515.2", "ENSG00000186092.7", "protein_coding"),
        "ENST00000641515.2 cds chromosome:GRCh38:1:65565:70008:1 gene:ENSG00000186092.7 gene_biotype:protein_coding"
        " transcript_biotype:protein_coding gene_symbol:OR4F5 description:olfactory receptor [Source:HGNC]",
    ),
    "ensembl 84, cdna": (
        *("ENST00000456328", "ENSG00000223972", "processed_transcript"),
        "ENST00000456328 cdna:known chromosome:GRCh38:1:11869:14409:1 gene:ENSG00000223972"
        " gene_biotype:transcribed_unprocessed_pseudogene transcript_biotype:processed_transcript",
    ),
    "ensembl 76, cds with its source": (
        *("ENST00000448914", "ENSG00000228985", "TR_D_gene"),
        "ENST00000448914 havana_ig_gene:known chromosome:GRCh38:14:22449113:22449125:1 gene:ENSG00000228985"
        " gene_biotype:TR_D_gene transcript_biotype:TR_D_gene",
    ),
    "ensembl 80, ncrna": (
        *("ENSMUST00000083466", "ENSMUSG00000065400", "miRNA"),
        "ENSMUST00000083466 ncrna:novel chromosome:GRCm38:1:9:99:-1 gene:ENSMUSG00000065400 gene_biotype:miRNA"
        " transcript_biotype:miRNA",
    ),
    "ensembl, projected": (
        *("ENSPTRT00000001.1", "ENSPTRG00000002", "protein_coding"),
        "ENSPTRT00000001.1 cdna:known_by_projection scaffold:CHIMP2.1.4:GL390001.1:1:900:1 gene:ENSPTRG00000002"
        " gene_biotype:protein_coding transcript_biotype:protein_coding",
    ),
    "ensembl genomes 30": (
        *("AT3G05780.1", "AT3G05780", "protein_coding"),
        "AT3G05780.1 cds:known chromosome:TAIR10:3:1714941:1719608:-1 gene:AT3G05780 gene_biotype:protein_coding"
        " transcript_biotype:protein_coding",
    ),
    "ensembl before biotypes": (
        *("ENST00000456328", "ENSG00000223972", None),
        "ENST00000456328 cdna:known chromosome:GRCh37:1:11869:14409:1 gene:ENSG00000223972",
    ),
    "gencode, all transcripts": (
        *("ENST00000456328.2", "ENSG00000223972.5", "processed_transcript"),
        "ENST00000456328.2|ENSG00000223972.5|OTTHUMG00000000961.2|OTTHUMT00000362751.1|DDX11L1-202|DDX11L1|1657|"
        "processed_transcript|",
    ),
    "gencode, coding": (
        *("ENST00000641515.2", "ENSG00000186092.7", None),
        "ENST00000641515.2|ENSG00000186092.7|OTTHUMG00000001094.4|OTTHUMT00000003223.4|OR4F5-201|OR4F5|2618|UTR5:1-60|"
        "CDS:61-1041|UTR3:1042-2618|",
    ),
    "gencode, lncRNA": (
        *("ENST00000473358.1", "ENSG00000243485.5", None),
        "ENST00000473358.1|ENSG00000243485.5|OTTHUMG00000000959.2|OTTHUMT00000002840.1|MIR1302-2HG-202|MIR1302-2HG|712|",
    ),
    "gencode, mouse": (
        *("ENSMUST00000193812.2", "ENSMUSG00000102693.2", "TEC"),
        "ENSMUST00000193812.2|ENSMUSG00000102693.2|OTTMUSG1.2|OTTMUST1.1|4933401J01Rik-201|4933401J01Rik|1070|TEC|",
    ),
    "gencode, pseudoautosomal": (
        *("ENST00000431238.7_PAR_Y", "ENSG00000182378.15_PAR_Y", None),
        "ENST00000431238.7_PAR_Y|ENSG00000182378.15_PAR_Y|-|-|PLCXD1-204|PLCXD1|1447|CDS:1-900|",
    ),
    "ncbi": (
        *("NM_000014.6", "A2M", "mRNA"),
        "NM_000014.6 Homo sapiens alpha-2-macroglobulin (A2M), transcript variant 1, mRNA",
    ),
    "ncbi, predicted": (
        *("XR_001737835.2", "LOC105371234", "ncRNA"),
        "XR_001737835.2 PREDICTED: Homo sapiens uncharacterized LOC105371234 (LOC105371234), transcript variant X1,"
        " ncRNA",
    ),
    "ncbi, brackets and commas in the name": (
        *("NM_001151.4", "SLC25A4", "mRNA"),
        "NM_001151.4 Homo sapiens solute carrier family 25 (carrier; translocator), member 4 (SLC25A4), nuclear gene"
        " encoding mitochondrial protein, mRNA",
    ),
    "ncbi, brackets in the symbol": (
        *("NM_001169396.2", "l(2)gl", "mRNA"),
        "NM_001169396.2 Drosophila melanogaster lethal (2) giant larvae (l(2)gl), transcript variant I, mRNA",
    ),
    "ncbi, brackets at the symbol's end": (
        *("NM_057378.4", "Su(H)", "mRNA"),
        "NM_057378.4 Drosophila melanogaster Suppressor of Hairless (Su(H)), mRNA",
    ),
    "ncbi, non-coding": (
        *("NR_046018.2", "DDX11L1", "non-coding RNA"),
        "NR_046018.2 Homo sapiens DEAD/H-box helicase 11 like 1 (pseudogene) (DDX11L1), non-coding RNA",
    ),
    "ncbi of old": (
        *("gi|98|ref|NM_1.5|", "GPR1", "mRNA"),
        "gi|98|ref|NM_1.5| Homo sapiens x (GPR1), mRNA",
    ),
    "ncbi, fields in brackets": (
        *("lcl|NC_000001.11_cds_NP_001005484.2_1", "OR4F5", None),
        "lcl|NC_000001.11_cds_NP_001005484.2_1 [gene=OR4F5] [db_xref=GeneID:79501] [protein=olfactory receptor 4F5]",
    ),
    "ncbi datasets": (
        "NM_000014.6",
        "2",
        None,
        "NM_000014.6 A2M [organism=Homo sapiens] [GeneID=2]",
    ),
    "ncbi, locus tag": (
        "lcl|X_1",
        "YAL068C",
        None,
        "lcl|X_1 [locus_tag=YAL068C] [protein=seripauperin]",
    ),
    "flybase": (
        *("FBtr0071763", "FBgn0000008", "mRNA"),
        "FBtr0071763 type=mRNA; loc=2R:join(22136968..22136999,22137016..22138000); ID=FBtr0071763; name=a-RA;"
        " dbxref=FlyBase:FBtr0071763; length=5173; parent=FBgn0000008; release=r6.32; species=Dmel;",
    ),
    "flybase, cds": (
        *("FBpp0070000", "FBgn0031081", "CDS"),
        "FBpp0070000 type=CDS; loc=X:join(1..9); name=Nep3-RA; parent=FBtr0070000,FBgn0031081; species=Dmel;",
    ),
    "gffread": ("MSTRG.1.1", "MSTRG.1", None, "MSTRG.1.1 gene=MSTRG.1 CDS=31-1000"),
    "gffread, symbol last": (
        "TCONS_00000001",
        "XLOC_000001",
        None,
        "TCONS_00000001 gene=XLOC_000001",
    ),
    "wormbase": ("2L52.1a.1", "WBGene00007063", None, "2L52.1a.1 gene=WBGene00007063"),
    "one word": ("NM_000014.6", None, None, "NM_000014.6"),
    "trinity": ("TRINITY_DN1_c0_g1_i1", None, None, "TRINITY_DN1_c0_g1_i1 len=247 path=[1:0-246]"),
    "other fields": ("x|y|z", None, None, "x|y|z gene unknown; transgene=5"),
    "ncbi without a symbol": ("NM_1.1", None, None, "NM_1.1 Homo sapiens something, mRNA"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_the_field(name):
    identifier, gene, kind, header = HEADERS[name]
    fields = parse_header(header)
    assert fields["id"] == identifier
    assert fields.get("gene") == gene
    assert fields.get("transcript_biotype") == kind


def test_further_fields():
    assert parse_header(HEADERS["ensembl"][-1])["gene_biotype"] == "protein_coding"
    assert parse_header(HEADERS["gencode, coding"][-1])["symbol"] == "OR4F5"
    assert parse_header(HEADERS["flybase"][-1])["seq_region"] == "2R"


def test_what_a_pattern_does_not_find_is_not_known():
    pattern = re.compile(r"(?P<id>\w*) g=(?P<gene>\w*)")
    assert parse_header("T1 g=", pattern) == {"id": "T1", "gene": None}
    with pytest.raises(ValueError, match="empty id"):
        parse_header("> g=5", pattern)
