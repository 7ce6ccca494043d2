import gzip
import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from nucleotune.errors import InputError
from nucleotune.simulate.formats import bsd_sum
from nucleotune.simulate.paths import toy_paths
from nucleotune.studies.lncrna.toy import write_toy_species
from nucleotune.studies.lncrna.toy_genes import MINIMUM, make_genes, transcript_span
from nucleotune.studies.lncrna.toy_loci import transcript_sequence

NAMES = {"species": "toy_alpha", "assembly": "TOY1", "release": 110}
SIZES = {"coding_genes": 120, "lncrna_genes": 140, "small_rnas": 24}
STOPS = {"TAA", "TAG", "TGA"}

# Written from Ensembl's description of its FASTA headers, independently of writer and readers.
HEADER = re.compile(
    r">(?P<id>ENSTOYT\d{11}\.\d+) (?P<kind>cds|ncrna)"
    r" (?P<coord_system>chromosome|scaffold):TOY1:(?P<region>[^:\s]+):(?P<start>\d+):(?P<end>\d+)"
    r":(?P<strand>1|-1) gene:(?P<gene>ENSTOYG\d{11}\.\d+) gene_biotype:(?P<gene_biotype>\S+)"
    r" transcript_biotype:(?P<biotype>\S+)(?: gene_symbol:(?P<symbol>\S+))?"
    r"(?: description:(?P<description>.+))?"
)


def read(path):
    """Records as (header fields, sequence), with every line checked."""
    records = []
    for block in gzip.decompress(path.read_bytes()).decode("ascii").split("\n>"):
        header, *lines = block.rstrip("\n").split("\n")
        match = HEADER.fullmatch(">" + header.removeprefix(">"))
        assert match, header
        assert all(len(line) == 60 for line in lines[:-1]) and 1 <= len(lines[-1]) <= 60
        records.append((match.groupdict(), "".join(lines)))
    return records


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    mirror = tmp_path_factory.mktemp("mirror")
    summary = write_toy_species(mirror, seed=7, **NAMES, **SIZES)
    paths = {name: mirror / path for name, path in toy_paths(**NAMES).items()}
    return mirror, paths, summary, {kind: read(paths[kind]) for kind in ("cds", "ncrna")}


def coding(records):
    return [(h, s) for h, s in records["cds"] if h["gene_biotype"] == "protein_coding"]


def longest_orf(sequence):
    orfs = re.finditer(r"(?=(ATG(?:(?!TAA|TAG|TGA)[ACGTN]{3})*(?:TAA|TAG|TGA)))", sequence)
    return max((len(orf[1]) for orf in orfs), default=0)


def test_paths_are_those_of_ensembl():
    folder = "ftp.ensembl.org/pub/release-110/fasta/toy_alpha"
    assert toy_paths(**NAMES) == {
        "cds": f"{folder}/cds/Toy_alpha.TOY1.cds.all.fa.gz",
        "cds_checksums": f"{folder}/cds/CHECKSUMS",
        "ncrna": f"{folder}/ncrna/Toy_alpha.TOY1.ncrna.fa.gz",
        "ncrna_checksums": f"{folder}/ncrna/CHECKSUMS",
    }


def test_paths_import_no_numpy():
    code = "import sys, nucleotune.simulate.paths; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_nothing_else_is_written(toy):
    mirror, paths, _, _ = toy
    assert {path for path in mirror.rglob("*") if path.is_file()} == set(paths.values())


def test_same_seed_same_bytes(toy, tmp_path):
    _, paths, summary, _ = toy
    again = tmp_path / "again"
    assert write_toy_species(again, seed=7, **NAMES, **SIZES) == summary
    write_toy_species(tmp_path / "other", seed=8, **NAMES, **SIZES)
    for name, path in toy_paths(**NAMES).items():
        assert (again / path).read_bytes() == paths[name].read_bytes()
        assert (tmp_path / "other" / path).read_bytes() != paths[name].read_bytes()


def test_gzip_header_holds_no_time_and_no_name(toy):
    for kind in ("cds", "ncrna"):
        head = toy[1][kind].read_bytes()[:8]
        assert head[:2] == b"\x1f\x8b" and head[3:] == bytes(5)


def test_bsd_sum_by_hand():
    # 1 -> 1; rotated right to 0x8000, plus 2 -> 0x8002; rotated to 0x4001, plus 255 -> 0x4100.
    assert bsd_sum(bytes([1, 2, 255])) == (0x4100, 1)
    assert bsd_sum(b"") == (0, 0)
    assert bsd_sum(bytes(1025)) == (0, 2)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("sum"), reason="needs GNU sum")
def test_checksums_equal_sum(toy):
    for kind in ("cds", "ncrna"):
        checksums = toy[1][f"{kind}_checksums"].read_text()
        assert re.fullmatch(r"\d{5} +\d+ \S+\n", checksums)
        found = subprocess.run(["sum", toy[1][kind]], capture_output=True, text=True, check=True)
        assert checksums.split()[:2] == found.stdout.split()[:2]
        assert checksums.split()[2] == toy[1][kind].name


def test_ids_are_unique_and_genes_consistent(toy):
    records = [h for kind in ("cds", "ncrna") for h, _ in toy[3][kind]]
    assert len({h["id"].split(".")[0] for h in records}) == len(records)
    places = {}
    for h in records:
        place = (h["kind"], h["gene_biotype"], h["region"], h["strand"], h["symbol"])
        assert places.setdefault(h["gene"], place) == place
    assert len({gene.split(".")[0] for gene in places}) == len(places)


def test_headers_show_what_bites_a_parser(toy):
    headers = [h for kind in ("cds", "ncrna") for h, _ in toy[3][kind]]
    kinds = Counter((h["symbol"] is None, h["description"] is None) for h in headers)
    assert len(kinds) == 4
    text = " ".join(h["description"] for h in headers if h["description"])
    assert all(mark in text for mark in (": ", "[Source:", "(putative)", "'"))
    assert {h["strand"] for h in headers} == {"1", "-1"}


def test_records_by_biotype_are_as_claimed(toy):
    _, _, summary, records = toy
    genes = Counter()
    for kind in ("cds", "ncrna"):
        found = Counter(f"{h['gene_biotype']}/{h['biotype']}" for h, _ in records[kind])
        assert dict(found) == summary[kind]["records"]
        genes.update(b for _, b in {(h["gene"], h["gene_biotype"]) for h, _ in records[kind]})
        assert {h["kind"] for h, _ in records[kind]} == {kind}
        assert summary[kind]["bases"] == sum(len(s) for _, s in records[kind])
    assert dict(genes) == summary["genes"]
    assert genes["protein_coding"] == SIZES["coding_genes"]
    assert genes["lncRNA"] == SIZES["lncrna_genes"]
    small = {"miRNA", "snRNA", "snoRNA", "misc_RNA", "rRNA", "Mt_tRNA"}
    assert sum(genes[biotype] for biotype in small) == SIZES["small_rnas"]
    assert {b for b in genes if b.startswith(("TR_", "IG_"))} == {
        "TR_D_gene",
        "TR_V_gene",
        "IG_V_gene",
    }
    assert {h["biotype"] for h, _ in records["ncrna"] if h["gene_biotype"] == "lncRNA"} == {
        "lncRNA",
        "retained_intron",
        "processed_transcript",
    }


def test_traps_are_present_as_claimed(toy):
    _, _, summary, records = toy
    for kind in ("cds", "ncrna"):
        found = Counter()
        for h, s in records[kind]:
            protein_coding = h["gene_biotype"] == "protein_coding"
            leading = len(s) - len(s.lstrip("N")) if kind == "cds" else 0
            found["n_padded"] += leading in (1, 2)
            found["gap"] += "N" in s[leading:]
            found["start_not_found"] += protein_coding and not s.startswith("ATG")
            found["end_not_found"] += protein_coding and not (len(s) % 3 == 0 and s[-3:] in STOPS)
            found["nonsense_mediated_decay"] += h["biotype"] == "nonsense_mediated_decay"
            found["receptor_segment"] += h["gene_biotype"][:3] in ("TR_", "IG_")
            found["under_100_nt"] += len(s) < 100
            found["haplotype"] += h["region"].startswith("CHR_")
            found["scaffold"] += h["coord_system"] == "scaffold"
            found["no_symbol"] += h["symbol"] is None
            lncrna = h["gene_biotype"] == "lncRNA"
            found["other_lncrna_transcript_biotype"] += lncrna and h["biotype"] != "lncRNA"
            small = kind == "ncrna" and not lncrna
            found["small_rna"] += small
            found["small_rna_100_nt_or_more"] += small and len(s) >= 100
        found["repeated_sequence"] = len(records[kind]) - len({s for _, s in records[kind]})
        assert {name: n for name, n in found.items() if n} == summary[kind]["traps"]
    in_cds = {"n_padded", "start_not_found", "end_not_found", "nonsense_mediated_decay"}
    in_ncrna = {"gap", "small_rna", "small_rna_100_nt_or_more", "other_lncrna_transcript_biotype"}
    in_both = {"under_100_nt", "haplotype", "scaffold", "no_symbol", "repeated_sequence"}
    assert in_cds | in_both | {"receptor_segment"} == set(summary["cds"]["traps"])
    assert in_ncrna | in_both == set(summary["ncrna"]["traps"])


def test_segments_and_long_transcripts(toy):
    _, _, summary, records = toy
    lengths = {kind: sorted(len(s) for _, s in records[kind]) for kind in ("cds", "ncrna")}
    assert lengths["cds"][-1] == summary["cds"]["longest"] == 30_000
    assert lengths["ncrna"][-1] == summary["ncrna"]["longest"] == 20_000
    assert lengths["cds"][-2] < 10_000 and lengths["ncrna"][-2] < 10_000
    segments = [(h["gene_biotype"], len(s)) for h, s in records["cds"]]
    assert all(8 <= n <= 16 for biotype, n in segments if biotype == "TR_D_gene")
    assert all(250 <= n <= 360 for biotype, n in segments if biotype in ("TR_V_gene", "IG_V_gene"))


def test_codon_structure(toy):
    complete = 0
    for h, s in coding(toy[3]):
        codons = [s[i : i + 3] for i in range(0, len(s), 3)]
        assert not STOPS & set(codons[:-1]), h["id"]
        complete += codons[0] == "ATG" and codons[-1] in STOPS
        if h["biotype"] == "nonsense_mediated_decay":
            assert codons[0] == "ATG" and codons[-1] in STOPS
    assert complete > 0.6 * len(coding(toy[3]))


def test_isoforms_share_exons_of_a_genome_that_can_be_laid_out():
    """Each base of a region belongs to one gene; spans and sequences follow from the exons."""
    genes = make_genes(3, **MINIMUM)
    last = {}
    for gene in genes:
        assert gene.place.start >= last.get(gene.place.contig, 0)
        last[gene.place.contig] = gene.place.end
        spans = [transcript_span(gene, transcript) for transcript in gene.locus.transcripts]
        assert (
            min(a for a, _ in spans) == gene.place.start
            and max(b for _, b in spans) == gene.place.end
        )
        for transcript in gene.locus.transcripts:
            flat = [position for exon in transcript.exons for position in exon]
            assert flat == sorted(set(flat))
            sequence = transcript_sequence(gene.locus, transcript)
            exonic = sum(end - start for start, end in transcript.exons)
            assert len(sequence) == exonic + transcript.padding
    assert any(
        transcript_span(gene, gene.locus.transcripts[0]) != (gene.place.start, gene.place.end)
        for gene in genes
        if gene.place.strand == -1
    )


def test_header_location_is_one_based_transcript_span(toy):
    genes = make_genes(7, **SIZES)
    expected = {
        transcript_id: (str(start + 1), str(end), gene.place.contig)
        for gene in genes
        for transcript_id, transcript in zip(
            gene.transcript_ids, gene.locus.transcripts, strict=True
        )
        for start, end in [transcript_span(gene, transcript)]
    }
    found = {
        h["id"]: (h["start"], h["end"], h["region"])
        for kind in ("cds", "ncrna")
        for h, _ in toy[3][kind]
    }
    assert found == expected


def test_haplotype_genes_repeat_reference_genes(toy):
    records = coding(toy[3])
    reference = {s for h, s in records if not h["region"].startswith("CHR_")}
    copies = [s for h, s in records if h["region"].startswith("CHR_")]
    assert copies and set(copies) <= reference


def test_length_gc_and_orf_alone_do_not_solve_the_task(toy):
    labelled = [(s, 0) for h, s in coding(toy[3])]
    labelled += [(s, 1) for h, s in toy[3]["ncrna"] if h["gene_biotype"] == "lncRNA"]
    labelled = [(s, y) for s, y in labelled if len(s) >= 100 and "N" not in s]
    y = np.array([y for _, y in labelled])
    length = np.array([len(s) for s, _ in labelled])
    gc = np.array([(s.count("G") + s.count("C")) / len(s) for s, _ in labelled])
    orf = np.array([longest_orf(s) for s, _ in labelled])
    assert 0.5 <= roc_auc_score(y, -length) <= 0.7
    assert 0.5 <= roc_auc_score(y, -gc) <= 0.7
    assert 0.80 <= roc_auc_score(y, -orf) <= 0.92


def test_decoy_orfs_are_coding_sized(toy):
    """lncRNA genes whose main isoform holds an ORF a third of its length, beyond chance size."""
    decoys = [gene.locus for gene in make_genes(7, **SIZES) if gene.locus.decoy_orf]
    assert len(decoys) == toy[2]["decoy_orf_genes"] >= 0.15 * SIZES["lncrna_genes"]
    intact = [locus for locus in decoys if "N" not in locus.sequence]
    for locus in intact:
        spliced = transcript_sequence(locus, locus.transcripts[0])
        assert longest_orf(spliced) >= 0.33 * len(spliced)


@pytest.mark.parametrize("name", MINIMUM)
def test_too_few_genes_are_refused_and_nothing_is_written(name, tmp_path):
    sizes = MINIMUM | {name: MINIMUM[name] - 1}
    with pytest.raises(InputError, match=f"{name} is {MINIMUM[name] - 1}; give at least"):
        write_toy_species(tmp_path, seed=1, **NAMES, **sizes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_toy_species_holds_every_trap(seed, toy, tmp_path):
    summary = write_toy_species(tmp_path, seed=seed, **NAMES, **MINIMUM)
    for kind in ("cds", "ncrna"):
        assert set(summary[kind]["traps"]) == set(toy[2][kind]["traps"])
        assert set(summary[kind]["records"]) == set(toy[2][kind]["records"])
