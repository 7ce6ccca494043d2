import csv
import gzip
import io
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nucleotune.errors import InputError
from nucleotune.plugins import load_species
from nucleotune.sequence.alphabet import reverse_complement
from nucleotune.simulate.composition import draw_background
from nucleotune.simulate.paths import promoter_fields, promoter_paths, simulated_paths, toy_paths
from nucleotune.sources.download import download
from nucleotune.sources.registry import local_path, read_registry, resolve
from nucleotune.studies.lncrna.toy import write_toy_species
from nucleotune.studies.promoters.toy import gue_negative, write_promoter_study
from nucleotune.studies.promoters.toy_sequences import ELEMENTS, cpg_chain, draw_promoter

ROOT = Path(__file__).parents[2]
NAMES = {"species": "toy_alpha", "assembly": "TOY1", "release": 110}
N_GENES = 800
EXCLUDED = {
    "Bladder",
    "Cervix - Ectocervix",
    "Cervix - Endocervix",
    "Fallopian Tube",
    "Kidney - Medulla",
}
IUPAC = {"R": "[AG]", "Y": "[CT]", "S": "[CG]", "W": "[AT]", "K": "[GT]", "M": "[AC]", "N": "."}


def revcomp(sequence):
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[b] for b in sequence[::-1])


def window(genome, region, tss, strand, first, last):
    """Bases from `first` to `last` (inclusive) of a TSS, 0 = TSS, on its strand."""
    if strand == "+":
        return genome[region][tss + first : tss + last + 1]
    return revcomp(genome[region][tss - last : tss - first + 1])


def read_table(path):
    return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t"))


def read_gtf(path):
    rows = []
    for line in gzip.decompress(path.read_bytes()).decode("ascii").splitlines():
        if not line.startswith("#!"):
            *fields, text = line.split("\t")
            attributes = defaultdict(list)
            for key, value in re.findall(r'(\w+) "([^"]*)";', text):
                attributes[key].append(value)
            assert re.fullmatch(r'(\w+ "[^"]*"; ?)+', text)
            rows.append((fields, attributes))
    return rows


class Toy:
    def __init__(self, mirror, genes, seed):
        self.mirror = mirror
        self.summary = write_promoter_study(mirror, seed=seed, genes=genes, **NAMES)
        self.paths = {name: mirror / path for name, path in promoter_paths(**NAMES).items()}
        self.genome = {}
        text = gzip.decompress(self.paths["dna"].read_bytes()).decode("ascii")
        for block in text.removeprefix(">").split("\n>"):
            header, *lines = block.rstrip("\n").split("\n")
            assert all(len(line) == 60 for line in lines[:-1]) and 1 <= len(lines[-1]) <= 60
            name, sequence = header.split()[0], "".join(lines)
            kind = "scaffold" if "." in name else "chromosome"
            assert header == f"{name} dna:{kind} {kind}:TOY1:{name}:1:{len(sequence)}:1 REF"
            self.genome[name] = sequence
        self.gtf = read_gtf(self.paths["gtf"])
        self.bed = [line.split(" ") for line in self.paths["epd"].read_text().splitlines()]
        self.motifs = {row["#Name"]: row for row in read_table(self.paths["epd_motifs"])}
        self.elements = read_table(self.paths["truth_elements"])
        self.promoters = read_table(self.paths["truth_promoters"])
        first, shape, *table = (
            gzip.decompress(self.paths["gtex"].read_bytes()).decode("ascii").splitlines()
        )
        assert first == "#1.2"
        self.gct_shape = tuple(map(int, shape.split("\t")))
        self.tissues = table[0].split("\t")[2:]
        self.gct = [line.split("\t") for line in table[1:]]

    def genes(self):
        """gene id -> (region, tss, strand, biotype), from the GTF."""
        genes = {}
        for (region, _, feature, start, end, _, strand, _), attributes in self.gtf:
            if feature == "gene":
                tss = int(start) - 1 if strand == "+" else int(end) - 1
                biotype = attributes["gene_biotype"][0]
                genes[attributes["gene_id"][0]] = (region, tss, strand, biotype)
        return genes

    def bed_tss(self):
        """Promoter name -> (region, tss, strand), by EPD's box: 49 bases, TSS, 10 bases."""
        return {
            name: (region.removeprefix("chr"), int(start) + 49, strand)
            if strand == "+"
            else (region.removeprefix("chr"), int(end) - 50, strand)
            for region, start, end, name, _, strand, _, _ in self.bed
        }

    def gue(self):
        rows = {}
        for part in ("train", "dev", "test"):
            header, *lines = self.paths[f"gue_{part}"].read_bytes().decode("ascii").split("\r\n")
            assert header == "sequence,label" and lines.pop() == ""
            rows[part] = [line.split(",") for line in lines]
        return rows


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("mirror"), N_GENES, seed=7)


ROWS = {
    "ensembl_dna": "dna",
    "ensembl_gtf": "gtf",
    "gtex_median_tpm": "gtex",
    "epdnew_promoters": "epd",
    "epdnew_motifs": "epd_motifs",
    "gue_train": "gue_train",
    "gue_dev": "gue_dev",
    "gue_test": "gue_test",
}


def source(row):
    fields = NAMES | promoter_fields(NAMES["species"], NAMES["assembly"])
    return resolve(read_registry(ROOT / "resources" / "sources.tsv")[row], **fields)


def test_rows_of_the_registry_lead_to_the_files():
    paths = promoter_paths(**NAMES)
    assert {name: local_path(source(row).urls[0]) for row, name in ROWS.items()} == {
        name: paths[name] for name in ROWS.values()
    }
    others = {name for name in paths if name.endswith("_checksums") or name.startswith("truth_")}
    assert set(paths) == {*ROWS.values(), *others}


def test_files_are_taken_from_the_mirror_as_downloads_are(tmp_path):
    """Even the smallest species passes the checks of every row: size, first bytes, checksum."""
    small = Toy(tmp_path / "mirror", 100, seed=1)
    for row, name in ROWS.items():
        taken = download(source(row), tmp_path / name, mirrors=[small.mirror], offline=True)
        assert taken["final_url"] == str(small.paths[name])
        assert taken["checksum"] == ("bsdsum" if row.startswith("ensembl_") else "none")


def test_simulated_paths_follow_the_species_file(tmp_path):
    def written(simulate):
        (tmp_path / "species").mkdir(exist_ok=True)
        (tmp_path / "species" / "x.yaml").write_text(
            "title: X\nensembl: {release: 110, species: toy_alpha, assembly: TOY1}\n"
            f"simulate: {simulate}\n"
        )
        return simulated_paths(load_species("x", [tmp_path]))

    transcripts = list(toy_paths(**NAMES).values())
    assert written("null") == []
    promoters = list(promoter_paths(**NAMES).values())
    assert written("{}") == []
    assert written("{transcripts: {}}") == transcripts
    assert written("{promoters: {}}") == promoters
    assert written("{transcripts: {}, promoters: {}}") == transcripts + promoters


def test_paths_import_no_numpy():
    code = "import sys, nucleotune.simulate.paths; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_nothing_else_is_written_and_transcripts_go_beside(toy, tmp_path):
    assert {p for p in toy.mirror.rglob("*") if p.is_file()} == set(toy.paths.values())
    assert not set(promoter_paths(**NAMES).values()) & set(toy_paths(**NAMES).values())
    sizes = {"coding_genes": 40, "lncrna_genes": 40, "small_rnas": 12}
    write_toy_species(tmp_path, seed=7, **NAMES, **sizes)
    text = b"".join(gzip.decompress(p.read_bytes()) for p in tmp_path.rglob("*.fa.gz")).decode()
    transcripts = set(re.findall(r"gene:(ENSTOYG\d+)", text))
    assert transcripts and not transcripts & set(toy.genes())


def test_same_seed_same_bytes(tmp_path):
    summaries = [
        write_promoter_study(tmp_path / folder, seed=seed, genes=100, **NAMES)
        for folder, seed in (("one", 3), ("again", 3), ("other", 4))
    ]
    assert summaries[0] == summaries[1] != summaries[2]
    for path in promoter_paths(**NAMES).values():
        one, again, other = ((tmp_path / f / path).read_bytes() for f in ("one", "again", "other"))
        assert one == again != other


def test_too_few_genes_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="promoters.genes is 99; give at least 100"):
        write_promoter_study(tmp_path, seed=1, genes=99, **NAMES)
    assert not list(tmp_path.iterdir())


def test_gtf_is_consistent_with_itself_and_the_genome(toy):
    genes, transcripts, exons = {}, {}, defaultdict(list)
    for (region, _, feature, start, end, score, strand, frame), attributes in toy.gtf:
        assert (score, frame) == (".", ".") and strand in "+-"
        assert 1 <= int(start) <= int(end) <= len(toy.genome[region])
        assert all(len(v) == 1 for key, v in attributes.items() if key != "tag")
        place = (region, strand, int(start), int(end))
        gene = attributes["gene_id"][0]
        assert "." not in gene and attributes["gene_version"][0].isdecimal()
        if feature == "gene":
            assert gene not in genes
            genes[gene] = place
        elif feature == "transcript":
            assert attributes["transcript_id"][0] not in transcripts
            transcripts[attributes["transcript_id"][0]] = (gene, place)
        else:
            assert feature == "exon"
            exons[attributes["transcript_id"][0]].append((int(attributes["exon_number"][0]), place))
    for gene, (region, strand, start, end) in genes.items():
        own = [place for other, place in transcripts.values() if other == gene]
        assert min(p[2] for p in own) == start and max(p[3] for p in own) == end
        assert {p[:2] for p in own} == {(region, strand)}
    for transcript, (_, (_, strand, start, end)) in transcripts.items():
        numbers, places = zip(*sorted(exons[transcript]), strict=True)
        assert numbers == tuple(range(1, len(numbers) + 1))
        flat = [x for p in places[:: 1 if strand == "+" else -1] for x in p[2:]]
        assert flat == sorted(flat) and flat[0] == start and flat[-1] == end
    per_region = defaultdict(list)
    for region, _, start, end in genes.values():
        per_region[region].append((start, end))
    for spans in per_region.values():
        assert all(a[1] < b[0] for a, b in zip(spans, spans[1:], strict=False))
    assert {strand for _, strand, _, _ in genes.values()} == {"+", "-"}
    assert set(per_region) == set(toy.genome) and len(toy.genome) == 5


def test_annotation_holds_what_bites_a_reader(toy):
    biotypes = defaultdict(int)
    named = defaultdict(set)
    tags, starts = set(), defaultdict(set)
    for (_, _, feature, start, end, _, strand, _), attributes in toy.gtf:
        biotype = attributes["gene_biotype"][0]
        biotypes[biotype] += feature == "gene"
        named[biotype].add("gene_name" in attributes)
        tags.add(len(attributes["tag"]))
        if feature == "transcript":
            starts[attributes["gene_id"][0]].add(start if strand == "+" else end)
    assert dict(biotypes) == toy.summary["genes"]
    assert biotypes["protein_coding"] == biotypes["lncRNA"] == N_GENES // 2
    assert named["lncRNA"] == {True, False} and tags == {0, 1, 2}
    assert any(len(found) == 3 for found in starts.values())
    assert any("N" in sequence.strip("N") for sequence in toy.genome.values())
    short = [
        tss if strand == "+" else len(toy.genome[region]) - tss
        for region, tss, strand, _ in toy.genes().values()
    ]
    assert min(short) < 2000  # a long window runs off the contig


def test_epd_box_and_tss_of_a_transcript(toy):
    starts = {
        (region, int(start) - 1 if strand == "+" else int(end) - 1, strand)
        for (region, _, feature, start, end, _, strand, _), _ in toy.gtf
        if feature == "transcript"
    }
    assert len(toy.bed) == toy.summary["epd"] == len(set(toy.bed_tss()))
    assert set(toy.bed_tss().values()) <= starts
    for (region, start, end, name, score, strand, thick_start, thick_end), tss in zip(
        toy.bed, toy.bed_tss().values(), strict=True
    ):
        assert int(end) - int(start) == 60 and score == "900" and region.startswith("chr")
        assert re.fullmatch(r"[A-Z0-9]+_[12]", name)
        if strand == "+":
            assert (int(thick_start), thick_end) == (tss[1], end)
        else:
            assert (thick_start, int(thick_end) - 1) == (start, tss[1])
    assert any(name.endswith("_2") for name in toy.motifs)


def test_epd_motifs_are_what_was_planted(toy):
    columns = ["TATA-box", "Inr", "CCAAT-box", "GC-box"]
    at = {(p["seq_region"], int(p["tss"]), p["strand"]): p["transcript_id"] for p in toy.promoters}
    planted = defaultdict(set)
    for element in toy.elements:
        planted[element["transcript_id"]].add(element["element"])
    assert list(next(iter(toy.motifs.values()))) == ["#Name", *columns]
    assert list(toy.motifs) == list(toy.bed_tss())
    for name, place in toy.bed_tss().items():
        found = {column for column in columns if toy.motifs[name][column] == "1"}
        assert found == planted[at[place]] & set(columns)
    for column in columns:
        assert {row[column] for row in toy.motifs.values()} == {"0", "1"}


def test_planted_elements_stand_in_the_genome(toy):
    promoters = {p["transcript_id"]: p for p in toy.promoters}
    elements = {element.name: element for element in ELEMENTS}
    exact = 0
    for row in toy.elements:
        promoter, element = promoters[row["transcript_id"]], elements[row["element"]]
        first, length = int(row["offset"]), len(row["sequence"])
        place = (promoter["seq_region"], int(promoter["tss"]), promoter["strand"])
        found = window(toy.genome, *place, first, first + length - 1)
        assert (found if row["strand"] == "+" else revcomp(found)) == row["sequence"]
        assert element.first[0] <= first < element.first[1]
        consensus = "".join(IUPAC.get(letter, letter) for letter in element.consensus)
        exact += re.fullmatch(consensus, row["sequence"]) is not None
    assert 0.7 * len(toy.elements) < exact < len(toy.elements)
    assert {row["element"] for row in toy.elements} == set(elements)
    assert {row["strand"] for row in toy.elements if row["element"] == "TATA-box"} == {"+"}


def test_gue_positives_are_the_tataless_windows_of_epd(toy):
    windows = sorted(
        window(toy.genome, *place, -249, 50)
        for name, place in toy.bed_tss().items()
        if toy.motifs[name]["TATA-box"] == "0"
    )
    rows = toy.gue()
    assert {part: len(found) for part, found in rows.items()} == toy.summary["gue"]
    every = [row for found in rows.values() for row in found]
    assert sorted(sequence for sequence, label in every if label == "1") == windows
    assert sum(label == "0" for _, label in every) == len(windows)
    assert all(re.fullmatch("[ACGT]{300}", sequence) for sequence, _ in every)
    assert len(rows["train"]) == pytest.approx(0.8 * len(every), abs=1)
    assert all({label for _, label in found} == {"0", "1"} for found in rows.values())


def test_gue_negative_keeps_eight_of_twenty_pieces():
    rng = np.random.default_rng(0)
    sequence = "".join(rng.choice(list("GC"), 300))
    for _ in range(20):
        negative = gue_negative(sequence, rng)
        pieces = [negative[i : i + 15] == sequence[i : i + 15] for i in range(0, 300, 15)]
        assert len(negative) == 300 and sum(pieces) == 8
    assert 0.15 < np.mean([gue_negative(sequence, rng).count("A") / 300 for _ in range(50)]) < 0.19
    # 12 of 20 pieces, a fourth of them A: 0.15


def test_gct_is_whole_and_joins_in_part(toy):
    assert toy.gct_shape == (len(toy.gct), 54) == (toy.summary["gtex"], len(set(toy.tissues)))
    assert set(toy.tissues) > EXCLUDED
    assert all(len(row) == 56 for row in toy.gct)
    names = [row[0] for row in toy.gct]
    assert len(set(names)) == len(names)
    par_y = [row for row in toy.gct if row[0].endswith("_PAR_Y")]
    assert len(par_y) == 2 and all(set(row[2:]) == {"0"} for row in par_y)
    assert {row[0].removesuffix("_PAR_Y") for row in par_y} <= set(names)
    genes = toy.genes()
    known = {name.split(".")[0] for name in names}
    assert known - set(genes) and set(genes) - known
    versions = {
        attributes["gene_id"][0]: attributes["gene_version"][0]
        for fields, attributes in toy.gtf
        if fields[2] == "gene"
    }
    same = [
        name.split(".")[1] == versions[name.split(".")[0]]
        for name in names
        if name.split(".")[0] in genes and "PAR" not in name
    ]
    assert 0.6 < np.mean(same) < 0.8
    zeros = {
        biotype: np.mean([v == "0" for row in toy.gct for v in row[2:]
                          if genes.get(row[0].split(".")[0], "...")[3:] == (biotype,)])
        for biotype in ("protein_coding", "lncRNA")
    }  # fmt: skip
    assert zeros["protein_coding"] < zeros["lncRNA"] - 0.05


def expression_classes(toy):
    """gene id -> 1 (above the 75th percentile in all 49 tissues) or 0 (at or below the 25th)."""
    genes = toy.genes()
    kept = [i for i, tissue in enumerate(toy.tissues) if tissue not in EXCLUDED]
    rows = {
        row[0].split(".")[0]: [float(row[2 + i]) for i in kept]
        for row in toy.gct
        if "_PAR_Y" not in row[0]
    }
    pool = [g for g in genes if g in rows and genes[g][3] in ("protein_coding", "lncRNA")]
    tpm = np.array([rows[gene] for gene in pool])
    assert tpm.shape[1] == 49
    high = (tpm > np.quantile(tpm, 0.75, axis=0)).all(axis=1)
    low = (tpm <= np.quantile(tpm, 0.25, axis=0)).all(axis=1)
    assert not (high & low).any()
    return {gene: int(h) for gene, h, one in zip(pool, high, high | low, strict=True) if one}


def kmer_auroc(sequences, labels):
    model = make_pipeline(
        CountVectorizer(analyzer="char", lowercase=False, ngram_range=(4, 4)),
        StandardScaler(with_mean=False),
        LogisticRegression(C=0.003, max_iter=500),
    )
    scores = cross_val_predict(model, sequences, labels, cv=4, method="predict_proba")[:, 1]
    return roc_auc_score(labels, scores)


def test_expression_follows_the_planted_elements(toy):
    classes = expression_classes(toy)
    labels = np.array(list(classes.values()))
    assert (labels == 1).sum() >= 0.12 * N_GENES and (labels == 0).sum() >= 0.12 * N_GENES
    genes = toy.genes()
    activity = {
        p["gene_id"]: float(p["activity"])
        for p in toy.promoters
        if int(p["tss"]) == genes[p["gene_id"]][1]
    }
    known = roc_auc_score(labels, [activity[gene] for gene in classes])
    windows = [window(toy.genome, *genes[gene][:3], -249, 50) for gene in classes]
    learnt = kmer_auroc(windows, labels)
    assert known > 0.93
    assert 0.7 < learnt < 0.98
    gc = [(w.count("G") + w.count("C")) / len(w) for w in windows]
    assert 0.4 < roc_auc_score(labels, gc) < 0.6
    coding = np.array([genes[gene][3] == "protein_coding" for gene in classes])
    assert np.mean(coding[labels == 0]) < 0.45 < 0.55 < np.mean(coding[labels == 1])


def test_biotype_is_harder_to_see_than_expression(toy):
    pool = {g: v for g, v in toy.genes().items() if v[3] in ("protein_coding", "lncRNA")}
    windows = [window(toy.genome, *place[:3], -249, 50) for place in pool.values()]
    labels = [int(place[3] == "protein_coding") for place in pool.values()]
    assert 0.6 < kmer_auroc(windows, labels) < 0.8


def test_weights_of_a_regression_name_the_elements():
    """The n-grams that speak most for and against expression are parts of the elements planted for it."""
    rng = np.random.default_rng(5)
    sequences, labels = [], []
    for _ in range(1500):
        promoter = draw_promoter("protein_coding", rng)
        if abs(promoter.activity - 1.5) > 1:
            sequences.append(promoter.sequence)
            labels.append(int(promoter.activity > 1.5))
    vectors = TfidfVectorizer(analyzer="char", lowercase=False, ngram_range=(6, 6))
    model = LogisticRegression(C=10, max_iter=1000).fit(vectors.fit_transform(sequences), labels)
    order = np.argsort(model.coef_[0])
    names = vectors.get_feature_names_out()[order]
    # Five of six letters: n-grams at an element's end have one of its neighbours.
    assert all(stands_in(name, ("CRE", "CCAAT-box", "TATA-box"), 5) for name in names[-8:])
    assert all(stands_in(name, ("NRSE",), 5) for name in names[:8])
    assert not any(stands_in(name, ("CRE", "TATA-box"), 5) for name in names[:8])


def stands_in(name, elements, n):
    """Whether `n` letters in a row of `name` fit, on either strand, in the consensus of one of `elements`."""
    letters = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "N": "ACGT"}
    parts = [name[i : i + n] for i in range(len(name) - n + 1)]
    parts += [reverse_complement(part) for part in parts]
    return any(
        all(b in letters.get(c, c) for b, c in zip(part, element.consensus[i : i + n], strict=True))
        for element in ELEMENTS
        if element.name in elements
        for i in range(len(element.consensus) - n + 1)
        for part in parts
    )


@pytest.mark.parametrize(("gc", "cpg"), [(0.62, 0.75), (0.42, 0.2)])
def test_background_has_the_composition_asked_for_on_both_strands(gc, cpg):
    rng = np.random.default_rng(0)
    sequence = draw_background(200_000, cpg_chain(gc, cpg), rng)
    base = {b: sequence.count(b) / len(sequence) for b in "ACGT"}
    assert base["G"] + base["C"] == pytest.approx(gc, abs=0.05)
    observed = sequence.count("CG") / len(sequence) / (base["C"] * base["G"])
    assert observed == pytest.approx(cpg, abs=0.08)
    for pair in ("CA", "GA", "AC", "AA", "CC"):
        assert sequence.count(pair) == pytest.approx(sequence.count(revcomp(pair)), rel=0.05)
