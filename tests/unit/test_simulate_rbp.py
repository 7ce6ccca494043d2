import csv
import gzip
import hashlib
import io
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import RNA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nucleotune.errors import InputError
from nucleotune.simulate.paths import CELL_LINES, RBPS, rbp_paths
from nucleotune.studies.rbp.toy import write_rbp_study
from nucleotune.studies.rbp.toy_assembly import Cut, make_older
from nucleotune.studies.rbp.toy_genes import draw_region

ROOT = Path(__file__).parents[2]
N_GENES, PER_CLASS = 60, 260
STOPS = {"TAA", "TAG", "TGA"}
MOTIF = "TGTA.ATA"


def revcomp(sequence):
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[b] for b in sequence[::-1])


def text(path):
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("ascii")


def table(path):
    return list(csv.DictReader(io.StringIO(text(path)), delimiter="\t"))


class Toy:
    def __init__(self, mirror):
        self.summary = write_rbp_study(
            mirror, name="toy", seed=3, genes=N_GENES, per_class=PER_CLASS
        )
        self.mirror = mirror
        self.paths = {name: mirror / path for name, path in rbp_paths("toy").items()}
        self.genome = {}
        for block in text(self.paths["dna"]).removeprefix(">").split("\n>"):
            header, *lines = block.rstrip("\n").split("\n")
            assert all(len(line) == 60 for line in lines[:-1])
            name, number = header.split(" ")
            assert name == f"chr{number}"
            self.genome[name] = "".join(lines)
        self.gtf = []
        for line in text(self.paths["gtf"]).splitlines():
            if not line.startswith("##"):
                *fields, attributes = line.split("\t")
                assert re.fullmatch(r'(\w+ ("[^"]*"|\d+);( |$))+', attributes)
                found = defaultdict(list)
                for key, value in re.findall(r'(\w+) "?([^";]*)"?;', attributes):
                    found[key].append(value)
                self.gtf.append((fields, found))
        self.rows = defaultdict(list)  # (RBP, class) -> [(header, sequence)]
        lines = iter(text(self.paths["rbpsuite"]).splitlines())
        for line in lines:
            if "train_dir" in line:
                block = re.search(r"([A-Z0-9]+)\.(positive|negative)", line).groups()
            else:
                self.rows[block].append((line[1:], next(lines)))
                assert line[0] == ">"
        self.records = {(r["rbp"], r["record"]): r for r in table(self.paths["truth_records"])}
        self.sites = table(self.paths["truth_sites"])

    def newer(self, record):
        """Bases of the annotated genome where a record of the truth lies."""
        bases = self.genome[record["seqname"]][int(record["start"]) : int(record["end"])]
        return bases if record["strand"] == "+" else revcomp(bases)

    def spans(self, feature):
        """transcript -> [(start, end)], 0-based, in file order, and strand."""
        spans = defaultdict(list)
        for (_, _, kind, start, end, _, _, _), attributes in self.gtf:
            if kind == feature:
                spans[attributes["transcript_id"][0]].append((int(start) - 1, int(end)))
        return spans

    def examples(self, rbp):
        """Sequences without N and repeats, and labels, as the study would take them."""
        found = {}
        for label, name in ((1, "positive"), (0, "negative")):
            for _, sequence in self.rows[rbp, name]:
                if "N" not in sequence:
                    found.setdefault(sequence.replace("U", "T"), label)
        order = np.random.default_rng(0).permutation(len(found))
        sequences, labels = list(found), np.array(list(found.values()))
        return [sequences[i] for i in order], labels[order]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("mirror"))


def files_of(mirror):
    return {str(p.relative_to(mirror)): p.read_bytes() for p in mirror.rglob("*") if p.is_file()}


def test_paths_are_standard_library_only():
    code = (
        "import sys; before = set(sys.modules)\n"
        "from nucleotune.simulate.paths import rbp_paths; rbp_paths('toy')\n"
        "assert not {'numpy', 'pandas', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_paths_of_two_names_differ_but_for_the_truth():
    one, other = rbp_paths("toy"), rbp_paths("other")
    assert [key for key in one if one[key] == other[key]] == [
        "truth_sites",
        "truth_records",
        "truth_transcripts",
    ]
    assert len(set(one.values())) == len(one)
    assert one["chain"] == (
        "hgdownload.soe.ucsc.edu/goldenPath/toy1/liftOver/toy1ToToy2.over.chain.gz"
    )


def test_same_arguments_same_bytes_and_all_files(toy, tmp_path):
    assert sorted(files_of(toy.mirror)) == sorted(rbp_paths("toy").values())
    small = {"name": "a", "genes": 30, "per_class": 60}
    write_rbp_study(tmp_path / "1", seed=1, **small)
    write_rbp_study(tmp_path / "2", seed=1, **small)
    write_rbp_study(tmp_path / "3", seed=2, **small)
    first = files_of(tmp_path / "1")
    assert first == files_of(tmp_path / "2")
    assert not set(first.values()) & set(files_of(tmp_path / "3").values())


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"genes": 29, "per_class": 60}, "genes is 29; give at least 30"),
        ({"genes": 30, "per_class": 19}, "per_class is 19; give at least 20"),
        ({"genes": 30, "per_class": 900}, r"30 genes hold \d+ pairs of TOYM and .* needs 1080"),
    ],
)
def test_sizes_that_do_not_do(tmp_path, sizes, message):
    with pytest.raises(InputError, match=message):
        write_rbp_study(tmp_path, name="a", seed=1, **sizes)


def test_md5sums(toy):
    lines = text(toy.paths["md5sums"]).splitlines()
    for line, key in zip(lines, ("gtf", "dna"), strict=True):
        digest, name = line.split("  ")
        assert name == toy.paths[key].name
        assert digest == hashlib.md5(toy.paths[key].read_bytes()).hexdigest()


def test_transcripts_are_spliced_from_frame_to_stop(toy):
    exons, cds, utrs = toy.spans("exon"), toy.spans("CDS"), toy.spans("UTR")
    starts, stops = toy.spans("start_codon"), toy.spans("stop_codon")
    frames, place = defaultdict(list), {}
    for (seqname, _, feature, _, _, _, strand, frame), attributes in toy.gtf:
        transcript = attributes["transcript_id"][0] if feature != "gene" else ""
        place[transcript] = seqname, strand
        if feature == "CDS":
            frames[transcript].append(int(frame))
    assert set(cds) == set(utrs) == set(starts) == set(stops) and 0 < len(cds) < len(exons)

    def read(transcript, spans):
        seqname, strand = place[transcript]
        pieces = [toy.genome[seqname][a:b] for a, b in spans]
        return "".join(pieces if strand == "+" else [revcomp(piece) for piece in pieces])

    for transcript, parts in cds.items():
        coding = read(transcript, parts)
        codons = [coding[i : i + 3] for i in range(0, len(coding), 3)]
        assert codons[0] == "ATG" == read(transcript, starts[transcript])
        assert len(coding) % 3 == 0 and not STOPS & set(codons)
        assert read(transcript, stops[transcript]) in STOPS
        done = np.cumsum([0, *(b - a for a, b in parts)])[:-1]
        assert frames[transcript] == [-int(n) % 3 for n in done]
        # CDS and UTR tile the exons; the stop codon lies in the UTR.
        tiles = sorted(base for a, b in [*parts, *utrs[transcript]] for base in range(a, b))
        assert tiles == sorted(base for a, b in exons[transcript] for base in range(a, b))
        # Introns of a coding transcript begin and end as they should.
        for (a, b), (c, d) in pairwise(exons[transcript]):
            intron = (b, c) if place[transcript][1] == "+" else (d, a)
            assert re.fullmatch("GT.*AG", read(transcript, [intron]))


def test_transcript_to_take_follows_appris_support_and_length(toy):
    genes, chosen = defaultdict(list), table(toy.paths["truth_transcripts"])
    lengths = {t: sum(b - a for a, b in spans) for t, spans in toy.spans("exon").items()}
    for (_, _, feature, *_), attributes in toy.gtf:
        if feature == "transcript":
            transcript = attributes["transcript_id"][0]
            tags = " ".join(attributes["tag"])
            appris = re.search(r"appris_(principal|alternative)_(\d)", tags)
            rank = 999 if not appris else int(appris[2]) + 100 * (appris[1] == "alternative")
            support = attributes["transcript_support_level"][0]
            level = 9 if support == "NA" else int(support)
            entry = (rank, level, -lengths[transcript], transcript)
            genes[attributes["gene_id"][0]].append(entry)
    assert {row["gene_id"]: row["transcript_id"] for row in chosen} == {
        gene: min(entries)[3] for gene, entries in genes.items()
    }
    assert {row["reason"] for row in chosen} == {"appris", "tsl", "length", "only"}
    for row in chosen:
        entries = sorted(genes[row["gene_id"]])
        if row["reason"] in ("appris", "tsl"):
            assert min(entries, key=lambda entry: entry[2]) != entries[0]  # not the longest
            assert entries[0][row["reason"] == "tsl"] < entries[1][row["reason"] == "tsl"]
    levels = {entry[1] for entries in genes.values() for entry in entries}
    assert {1, 9} < levels


def test_regions_differ_mildly():
    rng = np.random.default_rng(0)
    at = {
        region: np.mean([draw_region(region, 500, rng).count(base) / 500 for _ in range(200)])
        for region, base in (("I", "T"), ("3", "T"), ("5", "T"))
    }
    assert at["5"] < at["3"] - 0.03 and at["3"] < at["I"] - 0.02
    sequence = "".join(draw_region("5", 500, rng) for _ in range(200))
    expected = sequence.count("C") * sequence.count("G") / len(sequence)
    assert 0.2 < sequence.count("CG") / expected < 0.55


def test_rows_of_rbpsuite(toy):
    assert set(toy.rows) == {(rbp, name) for rbp in RBPS for name in ("positive", "negative")}
    for (rbp, name), rows in toy.rows.items():
        assert len(rows) == toy.summary["rbps"][rbp][name]
        for header, sequence in rows:
            _, start, end, _ = re.fullmatch(r"(chr[123]):(\d+)-(\d+)\(([+-])\)", header).groups()
            assert int(end) - int(start) == 101 and re.fullmatch("[ACGUN]{101}", sequence)
        clean = {sequence for _, sequence in rows if "N" not in sequence}
        assert any("N" in sequence for _, sequence in rows)
        assert len(clean) > PER_CLASS
    for rbp in RBPS:
        bound, unbound = toy.rows[rbp, "positive"], toy.rows[rbp, "negative"]
        assert len(set(bound)) < len(bound) and set(bound) & set(unbound)


def read_chains(path):
    """Aligned blocks by their definition: (older name, start, newer name, start on +, size, strand)."""
    blocks = []
    for block in text(path).strip().split("\n\n"):
        header, *lines = block.split("\n")
        word, score, t_name, t_size, t_strand, t, t_end, q_name, q_size, strand, q, q_end, _ = (
            header.split(" ")
        )
        assert word == "chain" and t_strand == "+" and int(score) > 0
        t, q = int(t), int(q)
        for line in lines:
            size, *gaps = map(int, line.split("\t"))
            start = q if strand == "+" else int(q_size) - q - size
            blocks.append((t_name, t, q_name, start, size, strand))
            t, q = t + size, q + size
            if gaps:
                t, q = t + gaps[0], q + gaps[1]
        assert (t, q) == (int(t_end), int(q_end)) and t <= int(t_size)
    return blocks


def lift(blocks, name, start, end, strand):
    """Place on the newer assembly where one block holds all of it, else None."""
    for t_name, t, q_name, q, size, direction in blocks:
        if t_name == name and t <= start and end <= t + size:
            flipped = {"+": "-", "-": "+"}[strand]
            if direction == "+":
                return q_name, q + start - t, q + end - t, strand
            return q_name, q + t + size - end, q + t + size - start, flipped
    return None


def test_records_are_carried_over_as_the_truth_says(toy):
    blocks = read_chains(toy.paths["chain"])
    assert len(blocks) == toy.summary["blocks"]
    assert {strand for *_, strand in blocks} == {"+", "-"}
    fates, flipped = defaultdict(set), 0
    for (rbp, _), rows in toy.rows.items():
        for header, sequence in rows:
            record = toy.records[rbp, header]
            name, start, end, strand = re.match(r"(.*):(\d+)-(\d+)\((.)\)", header).groups()
            lifted = lift(blocks, name, int(start), int(end), strand)
            fates[rbp].add(record["fate"])
            assert (lifted is None) == (record["fate"] == "edge")
            if lifted:
                truth = tuple(record[key] for key in ("seqname", "start", "end", "strand"))
                assert tuple(map(str, lifted)) == truth
                same = toy.newer(record) == sequence.replace("U", "T")
                assert same == (record["fate"] == "kept")
                assert ("N" in sequence) == (record["fate"] == "n")
                flipped += strand != record["strand"]
    assert all(found == {"kept", "edge", "changed", "n"} for found in fates.values())
    assert flipped > 10
    for rbp in RBPS:
        counts = toy.summary["rbps"][rbp]["fates"]
        assert counts == dict(Counter(r["fate"] for (b, _), r in toy.records.items() if b == rbp))
        assert counts["kept"] > 0.9 * sum(counts.values())


def test_blocks_of_the_older_assembly_base_by_base():
    rng = np.random.default_rng(0)
    sequence = "NNN" + "".join(rng.choice(list("ACGT"), 300)) + "NNN"
    cuts = [Cut(40, 2, 0), Cut(120, 0, 3), Cut(150, 4, 1), Cut(260, 0, 2)]
    older = make_older(
        "chrT",
        sequence,
        telomere=3,
        older_telomere=1,
        changes={20: "N", 130: "N"},
        cuts=cuts,
        inverted=(100, 200),
        rng=rng,
    )
    assert len(older.sequence) == 306 - 4 + 6 - 6  # ends, bases added and missing
    seen = {}
    for newer in range(len(sequence)):
        missing = newer < 3 or newer >= 303 or newer in {120, 121, 122, 150, 260, 261}
        if missing:
            with pytest.raises(ValueError, match="no block"):
                older.position(newer)
            continue
        position, strand = older.position(newer)
        seen[position] = newer
        base = older.sequence[position]
        expected = "N" if newer in (20, 130) else sequence[newer]
        assert (base if strand == 1 else revcomp(base)) == expected
        assert strand == (-1 if 100 <= newer < 200 else 1)
    assert len(seen) == 306 - 6 - 6 and sorted(seen) != list(seen)


def test_planted_sites_stand_in_the_records(toy):
    rows = {
        (rbp, header): sequence.replace("U", "T")
        for (rbp, _), found in toy.rows.items()
        for header, sequence in found
    }
    elements = defaultdict(Counter)
    for site in toy.sites:
        record = rows[site["rbp"], site["record"]]
        start, end = int(site["start"]), int(site["end"])
        assert record[start:end] == site["sequence"]
        assert start >= 50 - 36 and end <= 51 + 36
        elements[site["rbp"], site["label"]][site["element"]] += 1
    n = len(toy.records) // 6
    assert elements["TOYM", "1"]["motif"] > 1.5 * n
    assert elements["TOYM", "0"]["scrambled"] > 1.5 * n
    assert elements["TOYH", "1"] == {"hairpin": n, "loop_motif": n}
    assert set(elements["TOYH", "0"]) == {"hairpin", "open_motif"}
    assert elements["TOYH", "0"].total() == n
    assert 0.6 * n < elements["TOYU", "1"]["u_rich"] < 0.8 * n and not elements["TOYU", "0"]


def test_negatives_are_without_what_is_bound_and_of_the_same_genes(toy):
    genes = {
        (rbp, label): Counter(
            r["gene_id"] for (b, _), r in toy.records.items() if (b, r["label"]) == (rbp, label)
        )
        for rbp in RBPS
        for label in "01"
    }
    for rbp in RBPS:
        assert genes[rbp, "1"] == genes[rbp, "0"]
    bound = {header for header, _ in toy.rows["TOYM", "positive"]}
    for header, sequence in toy.rows["TOYM", "negative"]:
        if header not in bound:
            assert not re.search(MOTIF, sequence.replace("U", "T"))
    places = sorted((r["seqname"], int(r["start"]), int(r["end"])) for r in toy.records.values())
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(places))
    regions = {
        label: Counter(r["region"] for (b, _), r in toy.records.items()
                       if b == "TOYU" and r["label"] == label)
        for label in "01"
    }  # fmt: skip
    assert regions["1"]["3"] > 0.8 * regions["1"].total() and "3" not in regions["0"]
    every = {r["region"] for r in toy.records.values()}
    assert every == {"5", "3", "C", "I", "E"}


def test_regions_of_the_truth_are_those_of_the_transcript_to_take(toy):
    chosen = {r["gene_id"]: r["transcript_id"] for r in table(toy.paths["truth_transcripts"])}
    exons, cds = toy.spans("exon"), toy.spans("CDS")
    for record in toy.records.values():
        transcript = chosen[record["gene_id"]]
        middle = int(record["start"]) + 50
        letter = "I"
        if any(a <= middle < b for a, b in exons[transcript]):
            letter = "E"
            if cds[transcript]:
                first, last = min(cds[transcript])[0], max(cds[transcript])[1]
                before, after = ("5", "3") if record["strand"] == "+" else ("3", "5")
                letter = before if middle < first else after if middle >= last else "C"
        assert letter == record["region"]


def test_peaks_lie_on_bound_windows(toy):
    for rbp in RBPS:
        middles = {
            (r["seqname"], int(r["start"]) + 50, r["strand"])
            for (b, _), r in toy.records.items()
            if b == rbp and r["label"] == "1"
        }
        found = set()
        for cell_line in CELL_LINES:
            lines = text(toy.paths[f"peaks_{rbp}_{cell_line}"]).splitlines()
            if lines[0].startswith("track "):
                assert (rbp, cell_line) == ("TOYM", "HepG2")
                lines.pop(0)
            peaks = [line.split("\t") for line in lines]
            strong = 0
            for seqname, start, end, name, score, strand, signal, p, q, summit in peaks:
                middle = (int(start) + int(end)) // 2
                near = {(seqname, middle + shift, strand) for shift in range(-3, 4)} & middles
                assert (name, q, summit) == (f"{rbp}_{cell_line}_IDR", "-1", "-1")
                is_strong = float(signal) >= 3 and float(p) >= 3
                assert score == ("1000" if is_strong else "200")
                assert len(near) == is_strong
                strong += is_strong
                found |= near
            counts = toy.summary["rbps"][rbp]["peaks"][cell_line]
            assert counts == {"strong": strong, "weak": len(peaks) - strong}
            assert counts["weak"] > 0.3 * strong
            order = [(peak[0], int(peak[1])) for peak in peaks]
            assert order == sorted(order)
        assert found == middles


def test_manifest_lists_the_files_among_others(toy):
    rows = table(toy.paths["manifest"])
    assert len({row["File accession"] for row in rows}) == len(rows)
    taken = [
        row
        for row in rows
        if row["File format"] == "bed narrowPeak"
        and row["File assembly"] == "GRCh38"
        and row["Biological replicate(s)"] == "1, 2"
    ]
    assert len(rows) == 5 * len(taken) == 5 * len({row["Experiment accession"] for row in rows})
    for row in taken:
        rbp, cell_line = row["Experiment target"].removesuffix("-human"), row["Biosample term name"]
        path = toy.paths[f"peaks_{rbp}_{cell_line}"]
        assert row["File download URL"] == f"https://{path.relative_to(toy.mirror)}"
        assert re.fullmatch(r"ENCFF\d{3}[A-Z]{3}", row["File accession"])
        assert row["md5sum"] == hashlib.md5(path.read_bytes()).hexdigest()
        assert row["Size"] == str(path.stat().st_size)


def auroc(sequences, labels, k):
    model = make_pipeline(
        CountVectorizer(analyzer="char", lowercase=False, ngram_range=(k, k)),
        StandardScaler(with_mean=False),
        LogisticRegression(C=0.003, max_iter=500),
    )
    scores = cross_val_predict(model, sequences, labels, cv=4, method="predict_proba")[:, 1]
    return roc_auc_score(labels, scores)


def test_toym_is_a_motif_and_not_a_composition(toy):
    sequences, labels = toy.examples("TOYM")
    assert auroc(sequences, labels, 1) < 0.6
    assert auroc(sequences, labels, 4) > 0.88


def test_toyh_is_a_motif_in_a_hairpin_loop(toy):
    sequences, labels = toy.examples("TOYH")
    assert auroc(sequences, labels, 1) < 0.6
    assert 0.55 < auroc(sequences, labels, 4) < 0.8
    sites = {site["sequence"] for site in toy.sites if site["element"] == "loop_motif"}
    assert len(sites) == 1
    motif = sites.pop()
    chosen = np.r_[np.flatnonzero(labels == 1)[:40], np.flatnonzero(labels == 0)[:40]]
    in_loop = []
    for i in chosen:
        structure = RNA.fold(sequences[i])[0]
        places = [m.start() for m in re.finditer(motif, sequences[i])]
        in_loop.append(
            any(
                re.search(r"\(\.*$", structure[:at])
                and structure[at : at + len(motif)] == "." * len(motif)
                and re.match(r"\.*\)", structure[at + len(motif) :])
                for at in places
            )
        )
    assert np.mean(in_loop[:40]) > 0.85 and np.mean(in_loop[40:]) < 0.15


def test_toyu_is_weakly_a_composition(toy):
    sequences, labels = toy.examples("TOYU")
    assert 0.6 < auroc(sequences, labels, 4) < 0.85
