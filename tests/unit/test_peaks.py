"""eCLIP peaks: readers, bound sequences against an obvious reference, and what unbound ones must keep to."""

import gzip

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import reverse_complement

from nucleotune.errors import InputError
from nucleotune.genome.manifest import read_manifest
from nucleotune.genome.peaks import peak_examples, read_narrowpeak

# --- narrowPeak ---------------------------------------------------------------------------------------------------

PEAK = "chr8\t9772198\t9772297\tPUM1_K562_IDR\t1000\t+\t5.21\t17.6\t-1\t-1\n"


@pytest.mark.parametrize("blank", ["\t", " "])
def test_narrowpeak(tmp_path, blank):
    path = tmp_path / "a.bed.gz"
    text = f'track type=narrowPeak name="x"\n#c\n\n{PEAK}' + PEAK.replace("+", "-")
    path.write_bytes(gzip.compress(text.replace("\t", blank).encode()))
    table = read_narrowpeak(path)
    assert table.iloc[0].tolist() == ["chr8", 9772198, 9772297, "+", 5.21, 17.6]
    assert table["strand"].tolist() == ["+", "-"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (PEAK.replace("\t-1\n", "\n"), "line 2: 9 columns"),
        (PEAK.replace("9772198", "9772297"), "line 2: start '9772297' and end '9772297'"),
        (PEAK.replace("\t+\t", "\t.\t"), r"line 2: strand '\.'"),
        (PEAK.replace("5.21", "x"), "line 2: no finite numbers in columns 7 and 8, 'x'"),
        (PEAK.replace("17.6", "nan"), "line 2: no finite numbers .*'nan'"),
        (PEAK.replace("17.6", "inf"), "line 2: no finite numbers .*'inf'"),
        (PEAK.replace("9772297", "1e25"), "line 2: start '9772198' and end '1e25'"),
        ("<html></html>\n", "line 2: 1 columns"),
    ],
)
def test_what_is_no_narrowpeak_is_refused(tmp_path, line, message):
    path = tmp_path / "a.bed"
    path.write_text(PEAK + line)
    with pytest.raises(InputError, match=message):
        read_narrowpeak(path)
    path.write_text("track x\n")
    with pytest.raises(InputError, match="no peaks"):
        read_narrowpeak(path)


# --- manifests ----------------------------------------------------------------------------------------------------

ENCODE_COLUMNS = (
    *("File accession", "File format", "Output type", "File assembly", "Experiment accession"),
    *("Biosample term name", "Experiment target", "Biological replicate(s)", "md5sum"),
    "File download URL",
)


def encode_row(
    accession, experiment, *, kind="bed narrowPeak", assembly="GRCh38", replicates="1, 2"
):
    url = f"https://host/{accession}.bed.gz"
    return (
        *(accession, kind, "peaks", assembly, experiment, "K562", "TIAL1-human", replicates),
        *(accession[-1] * 32, url),
    )


def write_table(path, columns, rows, head=""):
    path.write_text(head + "".join("\t".join(row) + "\n" for row in (columns, *rows)))
    return path


@pytest.mark.parametrize(
    "head", ["", '"https://www.encodeproject.org/metadata/?type=Experiment"\n']
)
def test_encode_metadata_gives_one_file_an_experiment(tmp_path, caplog, head):
    rows = [
        encode_row("ENCFF00f", "ENCSR1"),
        encode_row("ENCFF00a", "ENCSR1", replicates="1"),
        encode_row("ENCFF00b", "ENCSR1", assembly="hg19"),
        encode_row("ENCFF00c", "ENCSR1", kind="fastq"),
        encode_row("ENCFF00e", "ENCSR2"),
        encode_row("ENCFF00d", "ENCSR2", replicates="2,1"),
    ]
    table = read_manifest(write_table(tmp_path / "metadata.tsv", ENCODE_COLUMNS, rows, head))
    assert table.to_dict("records") == [
        {"accession": accession, "rbp": "TIAL1", "cell_line": "K562", "md5": accession[-1] * 32,
         "url": f"https://host/{accession}.bed.gz"}
        for accession in ("ENCFF00d", "ENCFF00f")
    ]  # fmt: skip
    assert "1 experiments, such as ENCSR2, have several files" in caplog.text


OWN = ("accession", "rbp", "cell_line", "md5")


def test_a_manifest_of_ones_own(tmp_path):
    rows = [("ENCFF2", "TIAL1", "K562", "a" * 32), ("ENCFF1", "FUS", "HepG2", "b" * 32)]
    table = read_manifest(write_table(tmp_path / "m.tsv", OWN, rows))
    assert table["rbp"].tolist() == ["FUS", "TIAL1"]
    assert table["url"][0] == "https://www.encodeproject.org/files/ENCFF1/@@download/ENCFF1.bed.gz"


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        (OWN[:3], ("a", "b", "c"), "expected a TSV with the columns"),
        (("<html>",), ("x",), "expected a TSV with the columns"),
        (OWN, ("a", "b", "c", "d"), "a: md5 'd'; expected 32"),
        (OWN, ("a", "", "c", "d"), "a row has no rbp"),
        (ENCODE_COLUMNS, encode_row("a", "E", assembly="hg19"), "no file that is bed narrowPeak"),
        (ENCODE_COLUMNS, encode_row("a", "E", replicates="1"), "no file that is bed narrowPeak"),
        (ENCODE_COLUMNS, (), "no file that is bed narrowPeak"),
        (OWN[:2], (), "expected a TSV with the columns"),
    ],
)
def test_other_manifests_are_refused(tmp_path, columns, row, message):
    with pytest.raises(InputError, match=message):
        read_manifest(write_table(tmp_path / "m.tsv", columns, [row]))


def test_a_column_of_ones_own_in_encodes_table_is_left_alone(tmp_path):
    row = (*encode_row("ENCFF1", "ENCSR1"), "mine")
    table = read_manifest(write_table(tmp_path / "m.tsv", (*ENCODE_COLUMNS, "url"), [row]))
    assert table["url"].tolist() == ["https://host/ENCFF1.bed.gz"]


def test_quotes_of_a_manifest_join_no_rows(tmp_path):
    rows = [("ENCFF1", '"FUS', "K562", "a" * 32), ("ENCFF2", 'TIA1"', "K562", "b" * 32)]
    table = read_manifest(write_table(tmp_path / "m.tsv", OWN, rows))
    assert table["accession"].tolist() == ["ENCFF1", "ENCFF2"]
    with pytest.raises(InputError, match="line 1: columns 4, 5 are all called 'md5'"):
        read_manifest(write_table(tmp_path / "m.tsv", (*OWN, "md5"), []))


def test_an_accession_that_occurs_twice_is_refused(tmp_path):
    rows = [("ENCFF1", rbp, "K562", "a" * 32) for rbp in ("FUS", "TIA1")]
    with pytest.raises(InputError, match="ENCFF1 occurs twice"):
        read_manifest(write_table(tmp_path / "m.tsv", OWN, rows))


# --- pairs --------------------------------------------------------------------------------------------------------

LENGTH = 21


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Contigs 1, 2 and a scaffold, with some N, a repeat, and the path of their FASTA."""
    rng = np.random.default_rng(3)
    contigs = {}
    for name, size in (("1", 9000), ("2", 4000), ("KI270728.1", 2000)):
        letters = rng.choice(list("ACGT"), size)
        letters[rng.random(size) < 0.001] = "N"
        contigs[name] = "".join(letters)
    contigs["1"] = contigs["1"][:7000] + contigs["1"][1000:1200] + contigs["1"][7200:]
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text("".join(f">{name} x\n{text}\n" for name, text in contigs.items()))
    return contigs, path


TRANSCRIPTS = pd.DataFrame(
    [
        ("g0", "1", 500, 4000, "+", "protein_coding", 3),
        ("g1", "1", 900, 2500, "+", "lncRNA", 1),
        ("g2", "1", 500, 8500, "-", "protein_coding", 0),
        ("g3", "1", 500, 8500, "+", "snoRNA", 2),
        ("g4", "2", 100, 3900, "+", "protein_coding", 4),
        ("g5", "1", 6000, 6060, "+", "protein_coding", 5),
        ("g6", "2", 0, 4000, "-", "protein_coding", 6),
        ("g7", "KI270728.1", 0, 2000, "+", "protein_coding", 7),
        ("g8", "1", 6900, 7300, "+", "protein_coding", 8),
    ],
    columns=["gene_id", "seqname", "start", "end", "strand", "gene_biotype", "rank"],
)


def random_peaks(seed, n=60):
    rng = np.random.default_rng(seed)
    seqname = rng.choice(["chr1", "chr2", "KI270728.1", "chr3"], n, p=[0.7, 0.2, 0.05, 0.05])
    start = rng.integers(0, np.where(seqname == "chr1", 8990, 3990))
    start[0] = 1090
    table = pd.DataFrame(
        {
            "seqname": seqname,
            "start": start,
            "end": start + rng.integers(1, 40, n),
            "strand": rng.choice(["+", "-"], n),
            "log2_fold": rng.choice([2.5, 3, 6], n, p=[0.2, 0.4, 0.4]),
            "minus_log10_p": rng.choice([2.9, 3, 400], n, p=[0.2, 0.4, 0.4]),
        }
    )
    # One side of the repeat is bound and so is the other.
    table.loc[:2, ["seqname", "strand", "log2_fold", "minus_log10_p"]] = "chr1", "+", 5.0, 5.0
    table.loc[1, ["start", "end"]] = table.loc[0, ["start", "end"]] + 6000
    # And a host has no room for more.
    table.loc[2, ["start", "end"]] = 6020, 6040
    return table


PEAKS = {"K562": random_peaks(1), "HepG2": pd.concat([random_peaks(2), random_peaks(1)[:9]])}


def strongest(rows):
    """One peak of each stretch of overlapping ones."""
    stretches = []
    for row in rows:
        mine = [row]
        for other in list(stretches):
            if any(
                (a.seqname, a.strand) == (row.seqname, row.strand) and a.start < row.end and row.start < a.end
                for a in other
            ):  # fmt: skip
                mine += other
                stretches.remove(other)
        stretches.append(mine)

    def strength(row):
        return row.minus_log10_p, row.log2_fold, row.start, row.end

    return [max(one, key=strength) for one in stretches]


def slow_bound(contigs, peaks):
    """Windows of strong peaks with a host: {(contig, start, strand): (sequence, gene)}."""
    found, seen = {}, set()
    rows = [row for table in peaks.values() for row in table.itertuples(index=False)]
    rows = [row for row in rows if row.log2_fold >= 3 and row.minus_log10_p >= 3]
    for row in sorted(strongest(rows), key=lambda row: (row[0], (row.start + row.end) // 2)):
        contig, centre = row.seqname.removeprefix("chr"), (row.start + row.end) // 2
        hosts = [
            (host.rank, host.gene_id)
            for host in TRANSCRIPTS.itertuples()
            if (host.seqname, host.strand) == (contig, row.strand)
            and host.start <= centre < host.end
            and host.gene_biotype != "snoRNA"
        ]
        start = centre - LENGTH // 2
        sequence = contigs.get(contig, "")[max(start, 0) : start + LENGTH]
        if contig not in ("1", "2") or not hosts:
            continue
        if start < 0 or len(sequence) < LENGTH or "N" in sequence:
            continue
        sequence = sequence if row.strand == "+" else reverse_complement(sequence)
        if sequence not in seen:
            found[contig, start, row.strand] = sequence, min(hosts)[1]
            seen.add(sequence)
    return found


def examples(genome, peaks=PEAKS, transcripts=TRANSCRIPTS, seed=1, **options):
    settings = {"length": LENGTH, "min_distance": 30, "seed": seed} | options
    return peak_examples(peaks, transcripts, genome[1], **settings)


def test_bound_sequences_are_those_of_the_reference(genome):
    contigs, _ = genome
    table, counts = examples(genome)
    expected = slow_bound(contigs, PEAKS)
    bound = table[table["label"] == 1]
    for row in bound.itertuples():
        assert expected[row.seqname, row.start, row.strand] == (row.sequence, row.group)
    assert len(bound) == counts["pairs"] == len(expected) - counts["without_unbound"]
    left_out = sum(number for name, number in counts.items() if name not in ("peaks", "pairs"))
    assert counts["peaks"] == sum(map(len, PEAKS.values())) == left_out + counts["pairs"]
    for name in ("weak", "not_on_a_chromosome", "overlapping", "without_host", "same_sequence"):
        assert counts[name] > 0
    assert counts["without_unbound"] > 0 and counts["pairs"] > 30
    assert table["id"].is_unique and table["sequence"].is_unique


def test_unbound_sequences_are_of_the_same_host_and_far_from_peaks(genome):
    contigs, _ = genome
    table, _ = examples(genome)
    bound, unbound = (table[table["label"] == label] for label in (1, 0))
    # Partner by partner.
    for name in ("group", "strand", "seqname"):
        assert unbound[name].tolist() == bound[name].tolist()
    peaks = pd.concat(PEAKS.values())
    hosts = TRANSCRIPTS.set_index("gene_id")
    for row in unbound.itertuples():
        assert row.end - row.start == LENGTH
        sequence = contigs[row.seqname][row.start : row.end]
        assert row.sequence == (sequence if row.strand == "+" else reverse_complement(sequence))
        centre = row.start + LENGTH // 2
        assert hosts["start"][row.group] <= centre < hosts["end"][row.group]
        for peak in peaks[peaks["seqname"] == f"chr{row.seqname}"].itertuples():
            if peak.strand == row.strand:
                assert min(abs(centre - base) for base in range(peak.start, peak.end)) >= 30
    for _, rows in unbound.groupby(["seqname", "strand"]):
        assert (np.diff(np.sort(rows["start"])) >= LENGTH).all()
    assert row.id == f"{row.seqname}:{row.start}-{row.end}({row.strand})"


def test_unbound_sequences_lie_anywhere_in_the_host(genome):
    """Positions over many seeds are uniform: a mean in the middle, and near both ends."""
    peaks = {"K562": random_peaks(1).iloc[[0]]}
    host = TRANSCRIPTS[TRANSCRIPTS["gene_id"] == "g4"].assign(seqname="1", start=0, end=2400)
    centres = np.array(
        [
            examples(genome, peaks, host, seed)[0]["start"].iloc[1] + LENGTH // 2
            for seed in range(60)
        ]
    )
    assert abs(centres.mean() - 1200) < 4 * 2400 / np.sqrt(12 * 60)
    assert centres.min() < 300 and centres.max() > 2100


def test_the_seed_decides(genome):
    first, _ = examples(genome)
    again, _ = examples(genome, dict(reversed(PEAKS.items())))
    other, _ = examples(genome, seed=2)
    pd.testing.assert_frame_equal(first, again)
    assert first[first["label"] == 0]["id"].tolist() != other[other["label"] == 0]["id"].tolist()


def test_even_lengths_and_distances(genome):
    table, _ = examples(genome, length=20, min_distance=1, min_fold=6, min_p=400)
    assert set(table["sequence"].str.len()) == {20}
    strong = pd.concat(PEAKS.values()).query("log2_fold >= 6 and minus_log10_p >= 400")
    centres = set((strong["start"] + strong["end"]) // 2)
    for row in table[table["label"] == 1].itertuples():
        # The centre has index 10 of the sequence on either strand.
        assert (row.start + 10 if row.strand == "+" else row.end - 11) in centres


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("chr2L", "chr3R"), ("2L", "3R")),
        (("2L", "3R"), ("2L", "3R")),
        (("chrI", "chrii"), ("I", "II")),
        (("chr1", "chr2"), ("I", "II")),
        (("Chr1", "Chr2"), ("1", "2")),
        (("chrI", "chrII"), ("BK006935.2", "chrII")),
        (("scaffold_1", "scaffold_2"), ("scaffold_1", "scaffold_2")),
    ],
)
def test_chromosomes_of_any_species(genome, tmp_path, theirs, ours):
    """The same peaks on chromosomes of other names give the same rows."""
    contigs, _ = genome
    human, counts = examples(genome)
    fasta = tmp_path / "g.fa"
    aliases = dict(zip(("1", "2"), ours, strict=True))
    fasta.write_text("".join(f">{aliases[name]}\n{contigs[name]}\n" for name in aliases))
    names = dict(zip(("chr1", "chr2"), theirs, strict=True))
    if theirs == ("chrI", "chrII"):
        # A genome of NCBI has accessions, which peaks must have as well.
        names["chr1"] = ours[0]
    peaks = {
        cell: table.replace({"seqname": names})[table["seqname"].isin(names)]
        for cell, table in PEAKS.items()
    }
    transcripts = TRANSCRIPTS[TRANSCRIPTS["seqname"].isin(aliases)]
    transcripts = transcripts.assign(seqname=transcripts["seqname"].map(aliases))
    table, _ = examples((contigs, fasta), peaks, transcripts)
    assert table["sequence"].tolist() == human["sequence"].tolist()
    assert set(table["seqname"]) == set(ours)
    assert counts["not_on_a_chromosome"] > 0


def test_peaks_on_scaffolds_are_said(genome, caplog):
    examples(genome)
    names = pd.concat(PEAKS.values())["seqname"]
    n = (names == "KI270728.1").sum()
    assert n > 2
    assert f"{n} of {len(names)} peaks are on contigs that are not chromosomes" in caplog.text
    peaks = {"K562": PEAKS["K562"].assign(seqname="chrUn_KI270742v1")}
    with pytest.raises(
        InputError, match=r"K562 and .*: \d+ of \d+ peaks .* not chromosomes: chrUn_"
    ):
        examples(genome, peaks)


def test_nothing_left_is_said(genome):
    with pytest.raises(InputError, match="no peak is left to make a pair from"):
        examples(genome, min_fold=99)
    message = "of 64 strong peaks on chromosomes, 64 are in no transcript of their strand.* different assemblies"
    with pytest.raises(InputError, match=message):
        examples(genome, transcripts=TRANSCRIPTS[TRANSCRIPTS["gene_biotype"] == "snoRNA"])
