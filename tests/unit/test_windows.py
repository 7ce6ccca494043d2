"""Windows of a genome against slices of its text."""

import gzip
import itertools
import os

import numpy as np
import pandas as pd
import pytest
from Bio import bgzf
from Bio.Seq import reverse_complement

from nucleotune.errors import InputError
from nucleotune.genome import genome_file
from nucleotune.genome.genome_file import open_genome, unpack_genome
from nucleotune.genome.windows import extract_windows, random_windows


def random_genome(seed, lengths, n_share=0.0, letters="ACGTacgt"):
    rng = np.random.default_rng(seed)
    genome = {}
    for name, length in lengths.items():
        text = rng.choice(list(letters), length)
        text[rng.random(length) < n_share] = "N"
        genome[name] = "".join(text)
    return genome


def write_fasta(path, genome, end="\n", width=60):
    text = ""
    for name, sequence in genome.items():
        lines = [sequence[i : i + width] for i in range(0, len(sequence), width)]
        text += end.join([f">{name} dna:chromosome REF", *lines]) + end
    if path.suffix == ".gz":
        with bgzf.BgzfWriter(str(path), "wb") as file:
            file.write(text.encode())
    else:
        path.write_bytes(text.encode())
    return path


def slow_window(genome, seqname, position, strand, length, downstream):
    """The window, or the reason why there is none."""
    if seqname not in genome:
        return "unknown_contig"
    before, after = length - downstream - 1, downstream + 1
    begin, end = position - before, position + after
    if strand == "-":
        begin, end = position + 1 - after, position + 1 + before
    if begin < 0 or end > len(genome[seqname]):
        return "off_contig"
    sequence = genome[seqname][begin:end].upper()
    if set(sequence) - set("ACGT"):
        return "not_acgt"
    return reverse_complement(sequence) if strand == "-" else sequence


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("length", "downstream"), [(30, 10), (1, 0), (20, 19), (20, 0)])
def test_windows_are_slices_of_the_genome(tmp_path, name, end, length, downstream):
    genome = random_genome(1, {"1": 1000, "X": 333}, n_share=0.01)
    genome["X"] = genome["X"][:100] + "R" + genome["X"][101:]
    fasta = write_fasta(tmp_path / name, genome, end)
    rng = np.random.default_rng(2)
    places = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(500)],
            "seqname": pd.Categorical(rng.choice(["1", "X", "Y"], 500)),
            "position": rng.integers(0, 1000, 500),
            "strand": pd.Categorical(rng.choice(["+", "-"], 500)),
        }
    )
    table, counts = extract_windows(fasta, places, length, downstream)
    expected = {
        place.id: slow_window(
            genome, place.seqname, place.position, place.strand, length, downstream
        )
        for place in places.itertuples()
    }
    reasons = ("unknown_contig", "off_contig", "not_acgt")
    kept = {key: value for key, value in expected.items() if value not in reasons}
    assert dict(zip(table["id"], table["sequence"], strict=True)) == kept
    assert table["id"].tolist() == list(kept)
    found = list(expected.values())
    assert counts == {
        "places": 500,
        **{reason: found.count(reason) for reason in reasons},
        "windows": len(kept),
    }
    if length == 30:
        assert all(counts.values())
    for row in table.itertuples():
        plus = genome[row.seqname][row.start : row.end].upper()
        assert row.sequence == (reverse_complement(plus) if row.strand == "-" else plus)


def test_a_window_of_300_is_249_before_and_50_after(tmp_path):
    genome = random_genome(3, {"1": 2000})
    fasta = write_fasta(tmp_path / "g.fa", genome)
    places = pd.DataFrame(
        {"id": ["a", "b"], "seqname": "1", "position": 1000, "strand": ["+", "-"]}
    )
    table, _ = extract_windows(fasta, places, 300)
    assert table[["start", "end"]].to_numpy().tolist() == [[751, 1051], [950, 1250]]
    tss = genome["1"][1000].upper()
    assert table["sequence"].str[249].tolist() == [tss, reverse_complement(tss)]


def test_no_place_gives_no_window(tmp_path):
    fasta = write_fasta(tmp_path / "g.fa", random_genome(3, {"1": 200}))
    places = pd.DataFrame({"id": [], "seqname": [], "position": [], "strand": []})
    table, counts = extract_windows(fasta, places, 10, 5)
    assert len(table) == 0 and set(counts.values()) == {0}
    assert "sequence" in table


def test_a_changed_genome_is_indexed_anew(tmp_path):
    places = pd.DataFrame({"id": ["a"], "seqname": ["1"], "position": [100], "strand": ["+"]})
    fasta = write_fasta(tmp_path / "g.fa", {"0": "A" * 70, "1": "C" * 200})
    assert extract_windows(fasta, places, 10, 5).table["sequence"][0] == "C" * 10
    write_fasta(fasta, {"1": "G" * 200})
    os.utime(tmp_path / "g.fa.fai", (1, 1))
    assert extract_windows(fasta, places, 10, 5).table["sequence"][0] == "G" * 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.fa", "g.fa.fai"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (gzip.compress(b">1\nACGT\n", mtime=0), "bgzip"),
        (b">1\nACGT\nAC\nACGT\n", "not usable as FASTA"),
        (b">1\nACGT\n>1\nACGT\n", "not usable as FASTA"),
        (b"ACGT\n", "not usable as FASTA"),
    ],
)
def test_unusable_genomes_are_refused(tmp_path, content, expected):
    path = tmp_path / ("g.fa.gz" if content[:1] == b"\x1f" else "g.fa")
    path.write_bytes(content)
    places = pd.DataFrame({"id": ["a"], "seqname": ["1"], "position": [2], "strand": ["+"]})
    with pytest.raises(InputError, match=expected):
        extract_windows(path, places, 2, 0)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with pytest.raises(InputError, match="no such file"):
        extract_windows(tmp_path / "absent.fa", places, 2, 0)


def test_wrong_places_are_refused(tmp_path):
    fasta = write_fasta(tmp_path / "g.fa", {"chr1": "A" * 100})
    places = pd.DataFrame({"id": ["a"], "seqname": ["1"], "position": [50], "strand": ["+"]})
    with pytest.raises(InputError, match="no contig 1; it has 1, beginning with chr1"):
        extract_windows(fasta, places, 20, 5)
    with pytest.raises(InputError, match="place 'a': strand is '.'"):
        extract_windows(fasta, places.assign(seqname="chr1", strand="."), 20, 5)
    with pytest.raises(InputError, match="downstream=20 does not fit in length=20"):
        extract_windows(fasta, places, 20, 20)


# --- random windows -----------------------------------------------------------------------------------------------

EXCLUDE = pd.DataFrame(
    {
        "seqname": ["1", "1", "2", "1", "elsewhere"],
        "start": [100, 120, 0, 600, 0],
        "end": [400, 130, 30, 601, 9],
    }
)


def allowed_starts(genome, length, margin, contigs):
    """Every start that keeps all the rules, one by one."""
    found = set()
    for name in contigs:
        here = EXCLUDE[EXCLUDE["seqname"] == name]
        for start in range(len(genome[name]) - length + 1):
            near = any(
                start < end + margin and start + length > begin - margin
                for begin, end in zip(here["start"], here["end"], strict=True)
            )
            if not near and not set(genome[name][start : start + length]) - set("ACGTacgt"):
                found.add((name, start))
    return found


@pytest.mark.parametrize("margin", [0, 1, 25])
def test_random_windows_fall_on_allowed_starts_alone_and_apart_from_each_other(tmp_path, margin):
    genome = random_genome(4, {"1": 1000, "2": 300, "3": 500}, n_share=0.005)
    fasta = write_fasta(tmp_path / "g.fa", genome)
    allowed = allowed_starts(genome, 20, margin, ["1", "2"])
    asked = {"exclude": EXCLUDE, "margin": margin, "contigs": ["1", "2"]}
    table, counts = random_windows(fasta, 12, 20, seed=1, **asked)
    found = set(zip(table["seqname"], table["start"], strict=True))
    assert len(found) == 12 and found <= allowed
    for (one, start), (other, begin) in itertools.combinations(sorted(found), 2):
        assert one != other or abs(start - begin) >= 20
    # Over many draws, most allowed starts are met and no other.
    met = set()
    for seed in range(80):
        drawn = random_windows(fasta, 12, 20, seed=seed, **asked).table
        met |= set(zip(drawn["seqname"], drawn["start"], strict=True))
    assert met <= allowed and len(met) > 0.6 * len(allowed)
    assert (table["end"] - table["start"] == 20).all()
    assert table["id"].is_unique
    first = table.iloc[0]
    assert first["id"] == f"{first['seqname']}:{first['start']}-{first['end']}({first['strand']})"
    for row in table.itertuples():
        plus = genome[row.seqname][row.start : row.end].upper()
        assert row.sequence == (reverse_complement(plus) if row.strand == "-" else plus)
    rejected = counts["excluded"] + counts["not_acgt"] + counts["overlapping"]
    assert counts["windows"] == 12 == counts["tries"] - rejected
    assert min(counts.values()) > 0
    room = len(allowed) // 20 + len(genome)
    with pytest.raises(
        InputError, match=rf"\d+ of {room * 4} random windows .* overlapping an earlier one"
    ):
        random_windows(fasta, room * 4, 20, seed=1, **asked)


def test_random_windows_are_uniform_and_repeatable(tmp_path):
    genome = random_genome(5, {"1": 600_000, "2": 200_000})
    fasta = write_fasta(tmp_path / "g.fa", genome)
    asked = {"exclude": EXCLUDE[:0], "margin": 0, "contigs": ["1", "2"]}
    table, counts = random_windows(fasta, 8000, 20, seed=7, **asked)
    place = table["start"] + np.where(table["seqname"] == "2", 600_000, 0)
    # 16 bins of 500 expected, standard deviation about 21.
    assert np.abs(np.histogram(place, 16, (0, 800_000))[0] - 500).max() < 110
    assert abs((table["strand"] == "+").sum() - 4000) < 250
    again = random_windows(fasta, 8000, 20, seed=7, **asked)
    pd.testing.assert_frame_equal(again.table, table)
    assert again.counts == counts
    other = random_windows(fasta, 8000, 20, seed=8, **asked).table
    assert not other["id"].equals(table["id"])


def test_impossible_random_windows_are_refused(tmp_path):
    genome = {"1": "ACGT" * 100, "N": "N" * 400}
    fasta = write_fasta(tmp_path / "g.fa", genome)
    asked = {"exclude": EXCLUDE, "margin": 0, "seed": 1}
    with pytest.raises(InputError, match="10100 tries .* 10100 with N"):
        random_windows(fasta, 1, 20, contigs=["N"], **asked)
    with pytest.raises(InputError, match="0 of 1 random windows of 500 nt"):
        random_windows(fasta, 1, 500, contigs=["1"], **asked)
    with pytest.raises(InputError, match="no contig 7"):
        random_windows(fasta, 1, 20, contigs=["1", "7"], **asked)
    elsewhere = EXCLUDE.assign(seqname="chr1")
    with pytest.raises(InputError, match="no contig chr1"):
        random_windows(fasta, 1, 20, contigs=["1"], **asked | {"exclude": elsewhere})
    with pytest.raises(InputError, match="expected 1 or more"):
        random_windows(fasta, 0, 20, contigs=["1"], **asked)


# --- the file -----------------------------------------------------------------------------------------------------


def contents(fasta):
    with open_genome(fasta) as genome:
        return {name: genome[name][:] for name in genome.keys()}  # noqa: SIM118 (no dict)


@pytest.mark.parametrize("name", ["plain_named.fa.gz", "gzip_named.fa", "G.FA.GZ"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \n", "\t\r\n", "\n\n", "\n \n\t\n"])
def test_a_genome_is_unpacked_whatever_its_name_and_line_ends(tmp_path, name, packed, end):
    genome = random_genome(1, {"1": 1000, "X": 333, "empty line": 60})
    data = "\ufeff" + "".join(
        end.join([f">{name}", *(text[i : i + 60] for i in range(0, len(text), 60))]) + end
        for name, text in genome.items()
    )
    source = tmp_path / name
    source.write_bytes(gzip.compress(data.encode()) if packed else data.encode())
    unpack_genome(source, tmp_path / "out" / "g.fa")
    assert contents(tmp_path / "out" / "g.fa") == {
        name.split()[0]: text.upper() for name, text in genome.items()
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["g.fa", "g.fa.fai"]


def test_a_genome_with_returns_only_is_refused_where_it_is_not_copied(tmp_path):
    fasta = write_fasta(tmp_path / "g.fa", {"1": "ACGT" * 30}, end="\r")
    with pytest.raises(InputError, match=r"g\.fa: lines end in CR only"):
        open_genome(fasta)


def test_returns_among_packed_bytes_are_no_line_ends(tmp_path):
    for seed in range(100):
        genome = random_genome(seed, {"1": 300})
        with bgzf.open(str(tmp_path / f"{seed}.fa.gz"), "wb") as packed:
            packed.write(f">1\n{genome['1']}\n".encode())
        data = (tmp_path / f"{seed}.fa.gz").read_bytes()
        if b"\r" in data and b"\n" not in data:
            break
    assert contents(tmp_path / f"{seed}.fa.gz") == {"1": genome["1"].upper()}
    assert b"\r" in data and b"\n" not in data


def test_line_ends_across_blocks(tmp_path, monkeypatch):
    genome = random_genome(1, {"1": 1000, "X": 333})
    source = write_fasta(tmp_path / "g.fa", genome, end=" \t\n \n")
    for block in range(1, 9):
        monkeypatch.setattr(genome_file, "_BLOCK", block)
        unpack_genome(source, tmp_path / "out.fa")
        assert contents(tmp_path / "out.fa") == {
            name: text.upper() for name, text in genome.items()
        }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a FASTA file, which begins with '>'; found nothing"),
        (b"<html>\n>1\nACGT\n", "expected a FASTA file, .* found '<html>"),
        (gzip.compress(b">1\n" + b"ACGTTGCA" * 99)[:-9], "damaged gzip file"),
        (b">1\nACGT\nAC\nACGT\n", "not usable as FASTA: Line length"),
        (b">1\nACGT\nACGTACGT\n>2\nA\n", "record '1': its last line is longer"),
        (b">1\nACGT\nACGTACGTAC\n", "record '1': its last line is longer"),
        (b">1\nACGT\n>1 x\nACGT\n", "not usable as FASTA: Duplicate"),
        (b">\nACGT\n", "not usable as FASTA"),
    ],
)
def test_what_is_no_genome_is_named_and_leaves_nothing(tmp_path, data, message):
    source, out = tmp_path / "mine.fa.gz", tmp_path / "out"
    source.write_bytes(data)
    with pytest.raises(InputError, match=rf"mine\.fa\.gz: {message}"):
        unpack_genome(source, out / "g.fa")
    assert list(out.iterdir()) == []
