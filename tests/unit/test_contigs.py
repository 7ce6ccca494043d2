"""Names of contigs of different sources."""

import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome.contigs import (
    as_in_genome,
    is_chromosome,
    is_mitochondrion,
    names_in_genome,
    rename_contigs,
)

ROMAN = (
    *("I", "II", "III", "IV", "V", "VI", "VII", "VIII"),
    *("IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"),
)
YEAST = [*ROMAN, "Mito"]
HUMAN = [*(str(n) for n in range(1, 23)), "X", "Y", "MT"]


@pytest.mark.parametrize("form", ["{}", "chr{}", "Chr{}", "chromosome_{}"])
def test_numerals_of_either_kind_on_either_side(form):
    arabic = [form.format(n) for n in range(1, 17)]
    roman = [form.format(n) for n in ROMAN]
    assert names_in_genome(arabic, YEAST) == dict(zip(arabic, ROMAN, strict=True))
    assert names_in_genome(roman, YEAST) == dict(zip(roman, ROMAN, strict=True))
    numbers = [str(n) for n in range(1, 17)]
    assert names_in_genome(roman, numbers) == dict(zip(roman, numbers, strict=True))
    assert names_in_genome(YEAST, arabic) == dict(zip(ROMAN, arabic, strict=True))


def test_single_chromosomes_zeros_and_the_mitochondrion():
    assert names_in_genome(["7", "15"], YEAST) == {"7": "VII", "15": "XV"}
    assert names_in_genome(["chr01", "chr10"], ["1", "10"]) == {"chr01": "1", "chr10": "10"}
    for name in ("M", "chrM", "MT", "Mito", "chrmt", "chrMito"):
        assert names_in_genome([name], YEAST) == {name: "Mito"}
        assert is_mitochondrion(name)
    assert not any(map(is_mitochondrion, ROMAN))


def test_an_x_that_is_no_ten():
    chromosomes = [f"chr{name}" for name in HUMAN]
    assert names_in_genome(chromosomes, HUMAN) == dict(zip(chromosomes, HUMAN, strict=True))
    # A genome without sex chromosomes, and genes on them.
    assert names_in_genome(["1", "10", "X"], HUMAN[:22]) == {"1": "1", "10": "10"}
    worm = ["I", "II", "III", "IV", "V", "X", "MtDNA"]
    found = names_in_genome(["chr1", "chr5", "chrX", "chrM"], worm)
    assert found == {"chr1": "I", "chr5": "V", "chrX": "X", "chrM": "MtDNA"}
    assert names_in_genome(["10"], worm) == {}


def test_aliases_of_either_side_and_a_users_map():
    accessions = {"BK006935.2": "I", "BK006936.2": "II"}
    assert names_in_genome(["BK006935.2"], YEAST, accessions) == {"BK006935.2": "I"}
    assert names_in_genome(["chr2", "chr1"], accessions, accessions) == {
        "chr2": "BK006936.2",
        "chr1": "BK006935.2",
    }
    assert names_in_genome(["one", "2"], ["I", "II"], {"one": "II"})["one"] == "II"
    # The map goes before the rules.
    assert names_in_genome(["I"], ["I", "II"], {"I": "II"}) == {"I": "II"}


def test_case_tells_no_contigs_apart_unless_the_genome_has_both():
    assert names_in_genome(["chrvii", "Chriv", "CHRMITO"], YEAST) == {
        "chrvii": "VII",
        "Chriv": "IV",
        "CHRMITO": "Mito",
    }
    arabic = [str(n) for n in range(1, 17)]
    assert names_in_genome(["chrvii", "chrx"], arabic) == {"chrvii": "7", "chrx": "10"}
    assert names_in_genome(["3", "16"], [name.lower() for name in ROMAN]) == {
        "3": "iii",
        "16": "xvi",
    }
    assert names_in_genome(["chr2l", "2R"], ["2L", "2R"]) == {"chr2l": "2L", "2R": "2R"}
    assert names_in_genome(["CHRA", "chrA", "a"], ["a", "A"]) == {
        "chrA": "A",
        "a": "a",
        "CHRA": "A",
    }
    assert names_in_genome(["chrSc", "SC"], ["sc", "Sc"]) == {"chrSc": "Sc"}


@pytest.mark.parametrize(
    "names",
    [
        [
            *map(str, range(1, 23)),
            "X",
            "Y",
            "MT",
            "chr1",
            "chrX",
            "chrM",
            "NC_000001.11",
            "CM000663.2",
        ],
        ["2L", "2R", "3L", "3R", "4", "X", "chr2L", "mitochondrion_genome", "NT", "AE014298.5"],
        ["I", "II", "III", "V", "X", "chrI", "MtDNA", "chrXVI", "BK006935.2", "Mito"],
        [
            "Chr1",
            "Chr5",
            "ChrC",
            "ChrM",
            "Mt",
            "Pt",
            "1A",
            "7D",
            "chr1A",
            "LG3",
            "A01",
            "C09",
            "CP002684.1",
        ],
        ["Z", "W", "chrZ", "LGE64", "micro1", "HIC_1", "ptg000001l", "Un1kbp"],
    ],
)
def test_chromosomes_of_any_species(names):
    assert [name for name in names if not is_chromosome(name)] == []


def test_what_is_no_chromosome():
    names = "chr1_KI270706v1_random chrUn_GL000220v1 chr6_GL000250v2_alt chr1_KN196472v1_fix chrEBV EBV hs37d5"
    names += " chr6_apd_hap1 chr17_ctg5_hap1 chrUn_gl000220 chrUn_KN707606v1_decoy HLA-A*01:01:01:01 Un NC_007605.1"
    names += " KI270728.1 GL000009.2 CHR_HSCHR6_MHC_COX_CTG1 CHR_HG1_PATCH NT_187361.1 NW_009646194.1 chrUn"
    names += " Unmapped_Scaffold_8_D1580_D1567 chrX_CP007103v1_random scaffold_12 ERCC-00002"
    assert [name for name in names.split() if is_chromosome(name)] == []


def test_a_column_of_names_keeps_what_the_genome_has_not():
    column = pd.Series(["chr1", "plasmid", "chrM", "chr1"])
    assert as_in_genome(column, ["1", "2", "MT"]).tolist() == ["1", "plasmid", "MT", "1"]


def test_a_name_for_two_contigs_is_none():
    assert names_in_genome(["M", "chrM", "1"], ["1", "chrM", "MT"]) == {"chrM": "chrM", "1": "1"}


def table(**reads):
    return pd.DataFrame({"seqname": list(reads), "reads": list(reads.values())})


def test_few_reads_elsewhere_are_counted():
    ends = table(chrI=60, plasmid=5, chrII=34, Pombe=1)
    kept, left_out = rename_contigs(
        ends, YEAST, source="ends.bed", genome="g.fa", weights=ends["reads"]
    )
    assert kept["seqname"].tolist() == ["I", "II"]
    assert kept["reads"].tolist() == [60, 34]
    assert kept.index.tolist() == [0, 2]
    assert left_out == {"plasmid": 5, "Pombe": 1}


def test_many_rows_elsewhere_are_an_error_that_names_both_sides():
    with pytest.raises(
        InputError, match=r"ends.bed: 3 of 4 rows .* missing from g.fa: .*plasmid.* it has I, II"
    ):
        rename_contigs(table(I=1, a=1, plasmid=1, b=1), YEAST, source="ends.bed", genome="g.fa")
    with pytest.raises(InputError, match="ends.bed"):
        rename_contigs(table(a=0), YEAST, source="ends.bed", genome="g.fa", weights=pd.Series([0]))
    kept, left_out = rename_contigs(table(), YEAST, source="ends.bed", genome="g.fa")
    assert kept.empty and left_out == {}
