import csv
import gzip
import io
import re
import subprocess
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest

from nucleotune.errors import InputError
from nucleotune.simulate.paths import polya_fields, polya_paths
from nucleotune.studies.polya.toy import write_polya_study
from nucleotune.studies.polya.toy_genes import (
    FLANK,
    SWITCH,
    TO_CLEAVAGE,
    TO_POSITIONING,
    TO_SWITCH,
    VARIANTS,
    Element,
    Signal,
)

NAMES = {"species": "toy_yeast", "assembly": "TOY2", "release": 110}
N_GENES = 500
ROMAN = [
    *("I", "II", "III", "IV", "V", "VI", "VII", "VIII"),
    *("IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"),
]
STOPS = {"TAA", "TAG", "TGA"}


def revcomp(sequence):
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A"}[base] for base in sequence[::-1])


def text_of(path):
    return gzip.decompress(path.read_bytes()).decode("ascii")


def read_table(path):
    return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t"))


class Toy:
    def __init__(self, mirror, genes, seed):
        self.summary = write_polya_study(mirror, seed=seed, genes=genes, **NAMES)
        self.paths = {name: mirror / path for name, path in polya_paths(**NAMES).items()}
        self.genome = {}
        for block in text_of(self.paths["dna"]).removeprefix(">").split("\n>"):
            header, *lines = block.rstrip("\n").split("\n")
            name, sequence = header.split()[0], "".join(lines)
            assert header == f"{name} dna:chromosome chromosome:TOY2:{name}:1:{len(sequence)}:1 REF"
            self.genome[name] = sequence
        self.gtf = defaultdict(lambda: defaultdict(list))  # gene -> feature -> rows
        for line in text_of(self.paths["gtf"]).splitlines():
            if not line.startswith("#!"):
                *fields, attributes = line.split("\t")
                assert re.fullmatch(r'(\w+ "[^"]*"; ?)+', attributes)
                values = dict(re.findall(r'(\w+) "([^"]*)";', attributes))
                row = (fields[0], int(fields[3]) - 1, int(fields[4]), fields[6], fields[7], values)
                self.gtf[values["gene_id"]][fields[2]].append(row)
        self.gff3 = [line.split("\t") for line in text_of(self.paths["gff3"]).splitlines()]
        self.tifs = [line.split("\t") for line in text_of(self.paths["tifseq"]).splitlines()]
        self.s1 = text_of(self.paths["tifs_s1"]).splitlines()
        self.elements = read_table(self.paths["truth_polya_elements"])
        self.sites = read_table(self.paths["truth_polya_sites"])
        # gene id -> (chromosome, start of the ORF with its stop codon, end, strand)
        self.coding = {
            gene: rows["gene"][0][:4]
            for gene, rows in self.gtf.items()
            if rows["gene"][0][5]["gene_biotype"] == "protein_coding"
        }

    def window(self, gene):
        """Stop codon and 297 bases behind it, as far as the chromosome goes."""
        chromosome, start, end, strand = self.coding[gene]
        sequence = self.genome[chromosome]
        if strand == "+":
            return sequence[end - 3 : end + 297]
        return revcomp(sequence[max(0, start - 297) : start + 3])

    def place(self, gene, position):
        chromosome, start, end, strand = self.coding[gene]
        return (
            chromosome,
            strand,
            end - 3 + position if strand == "+" else start + 2 - position,
        )

    def ends(self):
        """(chromosome, strand, last base from 0) -> reads in glucose and galactose."""
        reads = defaultdict(lambda: np.zeros(2, dtype=int))
        for number, strand, _, t3, *counts in self.tifs[1:]:
            counts = list(map(int, counts))
            place = (ROMAN[int(number) - 1], strand, int(t3) - 1)
            reads[place] += [sum(counts[0::2]), sum(counts[1::2])]
        return reads

    def profiles(self):
        """gene id -> reads (2, 300) of the nuclear genes whose window is whole."""
        ends = self.ends()
        return {
            gene: np.array([ends.get(self.place(gene, i), (0, 0)) for i in range(300)]).T
            for gene, place in self.coding.items()
            if place[0] != "Mito" and len(self.window(gene)) == 300
        }


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("mirror"), N_GENES, seed=3)


@pytest.fixture(scope="module")
def profiles(toy):
    return toy.profiles()


def test_same_arguments_same_bytes(tmp_path):
    for run, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_polya_study(tmp_path / run, seed=seed, genes=100, **NAMES)
    files = {
        run: {
            path.relative_to(tmp_path / run): path.read_bytes()
            for path in (tmp_path / run).rglob("*")
            if path.is_file()
        }
        for run in "abc"
    }
    assert {str(path) for path in files["a"]} == set(polya_paths(**NAMES).values())
    assert files["a"] == files["b"]
    assert all(files["a"][path] != files["c"][path] for path in files["a"])


def test_paths_are_the_species_own():
    fields = polya_fields("toy_yeast", "TOY2")
    paths = polya_paths(**NAMES)
    assert paths["dna"].endswith("/dna/Toy_yeast.TOY2.dna.toplevel.fa.gz")
    assert paths["tifseq"] == (
        f"ftp.ncbi.nlm.nih.gov/geo/series/{fields['geo_folder']}/suppl/{fields['geo_name']}.txt.gz"
    )
    other = polya_paths("other_yeast", "TOY2", 110)
    hosts = [name for name in paths if not name.startswith("truth")]
    assert not {paths[name] for name in hosts} & {other[name] for name in hosts}


def test_paths_need_the_standard_library_only():
    code = (
        "import sys, nucleotune.simulate.paths as p; p.polya_paths('a', 'b', 1);"
        "assert not {'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_too_few_genes_are_refused(tmp_path):
    with pytest.raises(InputError, match="polya.genes is 99; give at least 100"):
        write_polya_study(tmp_path, seed=1, genes=99, **NAMES)


def test_genome_is_that_of_the_summary(toy):
    assert list(toy.genome) == [*ROMAN, "Mito"]
    assert {name: len(sequence) for name, sequence in toy.genome.items()} == toy.summary["bases"]
    assert all(set(sequence) == set("ACGT") for sequence in toy.genome.values())
    assert len(toy.genome["IV"]) > 3 * len(toy.genome["I"])
    biotypes = Counter(rows["gene"][0][5]["gene_biotype"] for rows in toy.gtf.values())
    assert biotypes == toy.summary["genes"]
    nuclear = [place for place in toy.coding.values() if place[0] != "Mito"]
    assert len(nuclear) == N_GENES
    assert {place[0] for place in nuclear} == set(ROMAN)


def test_gtf_has_open_frames_with_the_stop_codon_outside_the_cds(toy):
    introns = 0
    for gene, (chromosome, start, end, strand) in toy.coding.items():
        rows = toy.gtf[gene]
        spliced = "".join(
            toy.genome[chromosome][a:b] for _, a, b, *_ in sorted(rows["exon"], key=lambda r: r[1])
        )
        spliced = spliced if strand == "+" else revcomp(spliced)
        codons = re.findall("...", spliced)
        assert len(spliced) % 3 == 0 and codons[0] == "ATG"
        assert codons[-1] in STOPS and not STOPS & set(codons[:-1])
        cds = {i for _, a, b, *_ in rows["CDS"] for i in range(a, b)}
        exons = {i for _, a, b, *_ in rows["exon"] for i in range(a, b)}
        (stop,), (first,) = rows["stop_codon"], rows["start_codon"]
        assert exons - cds == set(range(*stop[1:3])) and set(range(*first[1:3])) <= cds
        at_end, at_start = (end - 3, end), (start, start + 3)
        assert stop[1:3] == (at_end if strand == "+" else at_start)
        assert first[1:3] == (at_start if strand == "+" else at_end)
        assert gene[-1] == "WC"[strand == "-"]
        introns += len(rows["exon"]) == 2
        before = 0  # the frame of a CDS: bases before its next codon
        for (_, a, b, _, frame, _), number in zip(rows["CDS"], (1, 2), strict=False):
            assert int(frame) == -before % 3 and rows["CDS"][number - 1][5]["exon_number"] == str(
                number
            )
            before += b - a
    assert 5 < introns < 40
    others = set(toy.gtf) - set(toy.coding)
    assert others and not any(toy.gtf[gene]["CDS"] for gene in others)


def test_gff3_is_the_same_annotation_with_the_stop_codon_inside(toy):
    names, cds, genes = {}, defaultdict(list), {}
    for contig, *fields in (row for row in toy.gff3 if len(row) == 9):
        _, feature, start, end, _, strand, _, attributes = fields
        values = dict(pair.split("=", 1) for pair in attributes.split(";"))
        if feature == "region":
            names[contig] = values["chromosome"]
            assert int(end) == len(toy.genome[values["chromosome"]])
        elif feature == "CDS":
            cds[values["locus_tag"]].append((names[contig], int(start) - 1, int(end), strand))
        elif feature in ("gene", "pseudogene"):
            genes[values["locus_tag"]] = (names[contig], int(start) - 1, int(end), strand)
    assert list(names.values()) == ROMAN and all(contig.startswith("BK") for contig in names)
    nuclear = {gene: rows for gene, rows in toy.gtf.items() if rows["gene"][0][0] != "Mito"}
    assert genes == {gene: rows["gene"][0][:4] for gene, rows in nuclear.items()}
    for gene in cds:
        assert cds[gene] == [row[:4] for row in nuclear[gene]["exon"]]
    assert set(cds) == {gene for gene, place in toy.coding.items() if place[0] != "Mito"}


def test_layout_holds_the_awkward_cases(toy):
    coding = [(gene, *place) for gene, place in toy.coding.items() if place[0] != "Mito"]
    off = [gene for gene, *_ in coding if len(toy.window(gene)) < 300]
    assert off == [coding[0][0], coding[-1][0]]  # of the first and of the last chromosome
    pairs = list(zip(coding, coding[1:], strict=False))
    convergent = [
        right[2] - left[3]
        for left, right in pairs
        if left[1] == right[1] and (left[4], right[4]) == ("+", "-")
    ]
    assert len(convergent) > 60 and np.mean(np.array(convergent) < 594) > 0.9
    assert all(left[3] < right[2] for left, right in pairs if left[1] == right[1])


def test_planted_elements_stand_in_the_windows(toy):
    by_gene = defaultdict(list)
    for row in toy.elements:
        position = int(row["position"])
        assert toy.window(row["gene_id"])[position:].startswith(row["sequence"])
        by_gene[row["gene_id"]].append(row)
    kinds = Counter((row["element"], bool(row["site"])) for row in toy.elements)
    assert {name for name, _ in kinds} == {
        "efficiency", "positioning", "cleavage", "flank", "switch",
    }  # fmt: skip
    assert all(kinds[name, False] > 100 for name in ("efficiency", "positioning", "cleavage"))
    assert toy.summary["sites"] == len(toy.sites) == kinds["cleavage", True]
    assert toy.summary["switches"] == kinds["switch", True] > 100
    for name in ("efficiency", "positioning"):
        assert {r["sequence"] for r in toy.elements if r["element"] == name} == set(VARIANTS[name])
    t_share = np.mean(
        [b == "T" for r in toy.elements if r["element"] == "flank" for b in r["sequence"]]
    )
    assert 0.8 < t_share < 0.9
    for rows in by_gene.values():
        spans = sorted((int(r["position"]), len(r["sequence"])) for r in rows)
        assert all(a + n <= b for (a, n), (b, _) in zip(spans, spans[1:], strict=False))


def test_sites_are_where_their_three_elements_are_in_place_and_nowhere_else(toy):
    """By brute force over every triple of planted elements."""
    by_gene = defaultdict(lambda: defaultdict(list))
    for row in toy.elements:
        by_gene[row["gene_id"]][row["element"]].append(row)
    truth = defaultdict(dict)
    for row in toy.sites:
        truth[row["gene_id"]][int(row["position"])] = row
    for gene, rows in by_gene.items():
        found = {}
        for e in rows["efficiency"]:
            for p in rows["positioning"]:
                for c in rows["cleavage"]:
                    gaps = [int(b["position"]) - int(a["position"]) for a, b in ((e, p), (p, c))]
                    if gaps[0] in range(*TO_POSITIONING) and gaps[1] in range(*TO_CLEAVAGE):
                        strength = np.prod([float(x["strength"]) for x in (e, p, c)])
                        behind = int(c["position"]) + len(c["sequence"]) + FLANK
                        near = [s for s in rows["switch"]
                                if int(s["position"]) - behind in range(*TO_SWITCH)]  # fmt: skip
                        found[int(c["position"])] = (strength, strength * 0.08 ** len(near))
        assert set(found) == set(truth[gene])
        for position, strengths in found.items():
            row = truth[gene][position]
            assert float(row["strength_glucose"]) == pytest.approx(strengths[0], rel=1e-3)
            assert float(row["strength_galactose"]) == pytest.approx(strengths[1], rel=1e-3)
        assert sorted(truth[gene]) == [
            int(row["position"]) for row in sorted(truth[gene].values(), key=lambda r: r["site"])
        ]


def test_profile_is_strength_at_each_a_of_each_site():
    def site(number, position, core, weight):
        return [
            Element("efficiency", position - 40, "TATATA", weight, number),
            Element("cleavage", position, core, 1.0, number),
        ]

    switch = Element("switch", 115, SWITCH, 0.1, 1)
    signal = Signal((*site(1, 100, "CAA", 1.0), switch, *site(2, 200, "CA", 0.5)), room=250)
    glucose, galactose = (signal.profile(condition) for condition in ("glucose", "galactose"))
    assert glucose.sum() == pytest.approx(1) and galactose.sum() == pytest.approx(1)
    # the first A of two has 1 / 1.45 of its site, and neighbours take and give 8 in 100
    near = slice(99, 105)
    assert glucose[near].sum() / glucose[198:204].sum() == pytest.approx(2, rel=0.02)
    assert galactose[near].sum() / galactose[198:204].sum() == pytest.approx(0.2, rel=0.03)
    assert glucose[101] / glucose[102] == pytest.approx(
        (0.92 * 1 + 0.04 * 0.45) / (0.92 * 0.45 + 0.04 * 1), rel=0.01
    )
    assert glucose[150] == pytest.approx(0.04 / 247) and (glucose[250:] == 0).all()
    assert (glucose[:3] == 0).all()


def test_tifs_have_the_columns_and_directions_of_the_source(toy):
    header, *rows = toy.tifs
    assert header == ["chr", "strand", "t5", "t3", "ypd", "gal", "lypd", "lgal", "nypd", "ngal"]
    assert len(rows) == toy.summary["tifs"] and {len(row) for row in rows} == {10}
    assert {row[0] for row in rows} == {str(i) for i in range(1, 17)}
    for number, strand, t5, t3, *reads in rows:
        assert int(t5) < int(t3) if strand == "+" else int(t5) > int(t3)
        assert min(int(t5), int(t3)) >= 1 and max(int(t5), int(t3)) <= len(
            toy.genome[ROMAN[int(number) - 1]]
        )
        assert sum(map(int, reads)) > 0
    assert len({tuple(row[:4]) for row in rows}) == len(rows)
    reads = np.array([row[4:] for row in rows], dtype=int).sum(axis=0)
    assert toy.summary["reads"] == {
        "glucose": reads[[0, 2, 4]].sum(),
        "galactose": reads[[1, 3, 5]].sum(),
    }
    assert (np.argsort(-reads[[0, 2, 4]]) == [0, 2, 1]).all()


def test_s1_is_the_same_table_with_types(toy):
    header, *lines = toy.s1
    assert header == "chr strand t5 t3 ypd gal type name"
    orfs = defaultdict(list)
    for gene, (chromosome, start, end, strand) in toy.coding.items():
        orfs[chromosome, strand].append((start, end, gene))
    types = Counter()
    for line, (number, strand, t5, t3, *reads) in zip(lines, toy.tifs[1:], strict=True):
        fields = line.split(" ")
        kind, name = " ".join(fields[6:-1]), fields[-1]
        reads = list(map(int, reads))
        assert fields[:6] == [
            number, strand, t5, t3, str(sum(reads[0::2])), str(sum(reads[1::2])),
        ]  # fmt: skip
        low, high = min(int(t5), int(t3)) - 1, max(int(t5), int(t3))
        touched = [
            orf for orf in orfs[ROMAN[int(number) - 1], strand] if orf[0] < high and low < orf[1]
        ]
        intact = [orf[2] for orf in touched if low <= orf[0] and orf[1] <= high]
        if len(intact) == 1:
            assert (kind, name) == ("Covering one intact ORF", intact[0])
        elif intact:
            assert kind == "Covering >=2 ORFs"
        elif len(touched) > 1:
            assert kind == "Overlap >=2 ORFs"
        elif touched:
            start, end, gene = touched[0]
            first = start if strand == "+" else end - 1
            part = 5 if low <= first < high else 3
            assert (kind, name) == (f"Overlap {part}' of one ORF", gene)
        else:
            assert kind in ("Intergenic transcripts", "SUTs") and name == "NA"
        types[kind] += sum(reads)
    assert set(types) >= {
        "Covering one intact ORF", "Covering >=2 ORFs", "Overlap 5' of one ORF",
        "Overlap 3' of one ORF", "Intergenic transcripts", "SUTs",
    }  # fmt: skip
    assert 0.8 < types["Covering one intact ORF"] / sum(types.values()) < 0.97


def test_reads_end_at_the_sites_in_proportion_to_their_strength(toy, profiles):
    sites = defaultdict(list)
    for row in toy.sites:
        sites[row["gene_id"]].append(row)
    at_sites, expected, observed = [], [[], []], [[], []]
    for gene, reads in profiles.items():
        positions = [int(row["position"]) for row in sites[gene]]
        near = [list(range(p, min(p + 6, 300))) for p in positions]
        for track, condition in enumerate(("glucose", "galactose")):
            total = reads[track].sum()
            if total < 50:
                continue
            at_sites.append(reads[track][sorted({i for part in near for i in part})].sum() / total)
            if len(positions) > 1:
                strengths = np.array([float(row[f"strength_{condition}"]) for row in sites[gene]])
                expected[track] += (strengths / strengths.sum()).tolist()
                here = np.array([reads[track][part].sum() for part in near])
                observed[track] += (here / here.sum()).tolist()
    assert 0.9 < np.mean(at_sites) < 0.98
    assert np.corrcoef(expected[0], observed[0])[0, 1] > 0.95
    assert np.corrcoef(expected[1], observed[1])[0, 1] > 0.95


def test_galactose_moves_the_ends_of_genes_with_a_switch(toy, profiles):
    switched = {r["gene_id"] for r in toy.elements if r["element"] == "switch" and r["site"]}
    distance = {True: [], False: []}
    for gene, reads in profiles.items():
        if (reads.sum(axis=1) >= 100).all():
            shares = reads / reads.sum(axis=1, keepdims=True)
            distance[gene in switched].append(np.abs(shares[0] - shares[1]).sum() / 2)
    assert np.median(distance[True]) > 2 * np.median(distance[False])


def test_reads_of_genes_spread_and_follow_their_sites(toy, profiles):
    strength = Counter()
    for row in toy.sites:
        strength[row["gene_id"]] += float(row["strength_glucose"])
    totals = {gene: reads.sum(axis=1) for gene, reads in profiles.items()}
    silent = np.array([(glucose == 0, galactose == 0) for glucose, galactose in totals.values()])
    assert (silent.sum(axis=0) > 3).all() and (silent.mean(axis=0) < 0.08).all()
    assert (silent[:, 0] != silent[:, 1]).any()
    seen = [(strength[g], glucose) for g, (glucose, _) in totals.items() if glucose and strength[g]]
    logs = np.log(np.array(seen, dtype=float))
    assert 0.6 < np.corrcoef(logs.T)[0, 1] < 0.9
    assert 0.6 < logs[:, 1].std() < 1.6


def test_the_average_profile_says_little(profiles):
    reads = np.array([r[0] for r in profiles.values() if r[0].sum() >= 20], dtype=float)
    shares = reads / reads.sum(axis=1, keepdims=True)
    half = len(shares) // 2
    average = shares[:half].mean(axis=0)
    correlations = [np.corrcoef(average, share)[0, 1] for share in shares[half:]]
    assert np.median(correlations) < 0.2
    assert (average[np.arange(60, 260)] > 0).mean() > 0.9  # sites everywhere
