"""Examples of the poly(A) study: windows at stop codons under every convention, counts, guards and splits."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import reverse_complement

from nucleotune.errors import InputError
from nucleotune.genome.annotation import contig_names, read_annotation
from nucleotune.genome.stop_codons import coding_genes
from nucleotune.studies.polya import guards as polya_guards
from nucleotune.studies.polya.windows import STOP_CODONS, build_examples

CONTIGS = {"I": 9000, "II": 5000, "III": 4000, "Mito": 2000}
ACCESSIONS = {"I": "BK1.2", "II": "BK2.2", "III": "BK3.2"}
LENGTH = 60
HELD_OUT = {"test": ["II"], "valid": ["III"]}


class Gene(NamedTuple):
    """pieces: of the CDS with its stop codon, 0-based half-open, in order along the contig."""

    name: str
    seqname: str
    strand: str
    pieces: list[tuple[int, int]]
    biotype: str = "protein_coding"

    def shortened(self, nt=3):
        """Pieces without the last bases of the transcript."""
        pieces = list(self.pieces)
        while nt:
            at = -1 if self.strand == "+" else 0
            start, end = pieces[at]
            cut = min(nt, end - start)
            nt -= cut
            kept = (start, end - cut) if self.strand == "+" else (start + cut, end)
            pieces[at : at + 1 or None] = [kept] if kept[0] < kept[1] else []
        return pieces

    def stop(self):
        """Pieces of the stop codon."""
        bases = [i for start, end in self.pieces for i in range(start, end)]
        bases = bases[-3:] if self.strand == "+" else bases[:3]
        if bases[2] - bases[0] == 2:
            return [(bases[0], bases[2] + 1)]
        return [(base, base + 1) for base in bases]

    def row(self, kind, start, end, attributes, names):
        fields = (names.get(self.seqname, self.seqname), "x", kind, start + 1, end, ".")
        return "\t".join(map(str, (*fields, self.strand, ".", attributes)))


def genes():
    found, rng = [], np.random.default_rng(5)
    for seqname in ("I", "II", "III"):
        for number, start in enumerate(range(200, CONTIGS[seqname] - 500, 300)):
            cut = start + int(rng.integers(20, 60))
            pieces = [(start, start + 90)]
            if number % 3 == 0:
                pieces = [(start, cut), (cut + 31, start + 121)]
            found.append(Gene(f"{seqname}{number}", seqname, "+-"[number % 2], pieces))
    found.append(Gene("edge", "I", "-", [(40, 100)]))
    found.append(Gene("split", "I", "+", [(8700, 8752), (8780, 8781)]))
    found.append(Gene("mito", "Mito", "+", [(300, 390)]))
    found.append(Gene("rna", "I", "+", [(8800, 8860)], "ncRNA"))
    return found


def genome(path, all_genes, wrong=(), unknown=()):
    """Write a genome in which the stop codons are in place, save those of `wrong`; N behind those of `unknown`."""
    rng = np.random.default_rng(7)
    letters = {name: rng.choice(list("ACGT"), n) for name, n in CONTIGS.items()}
    for i, gene in enumerate(all_genes):
        codon = "GGG" if gene.name in wrong else STOP_CODONS[i % 3]
        codon = codon if gene.strand == "+" else reverse_complement(codon)
        places = [base for start, end in gene.stop() for base in range(start, end)]
        letters[gene.seqname][places] = list(codon)
        if gene.name in unknown:
            letters[gene.seqname][places[-1] + 10 if gene.strand == "+" else places[0] - 10] = "N"
    texts = {name: "".join(text) for name, text in letters.items()}
    path.write_text("".join(f">{name} x\n{text}\n" for name, text in texts.items()))
    return texts


def gtf(gene, *, stops=True):
    keys = f'gene_id "{gene.name}"; gene_biotype "{gene.biotype}";'
    yield gene.row("gene", gene.pieces[0][0], gene.pieces[-1][1], keys, {})
    keys += f' transcript_id "{gene.name}_t";'
    kinds = [("exon", gene.pieces)]
    if gene.biotype == "protein_coding":
        kinds += [("CDS", gene.shortened()), ("stop_codon", gene.stop())]
    for kind, pieces in kinds:
        for start, end in pieces:
            if stops or kind != "stop_codon":
                yield gene.row(kind, start, end, keys, {})


def gff3(gene, prefixes, names):
    first, second = prefixes
    span = gene.pieces[0][0], gene.pieces[-1][1]
    key = "biotype" if first.endswith(":") else "gene_biotype"
    yield gene.row("gene", *span, f"ID={first}{gene.name};{key}={gene.biotype}", names)
    above = f"{second}{gene.name}_t"
    yield gene.row("mRNA", *span, f"ID={above};Parent={first}{gene.name}", names)
    for number, (start, end) in enumerate(gene.pieces):
        yield gene.row("exon", start, end, f"ID=e{number}{gene.name};Parent={above}", names)
        if gene.biotype == "protein_coding":
            yield gene.row("CDS", start, end, f"ID=c{gene.name};Parent={above}", names)


def annotation(tmp_path, all_genes, form="ensembl_gtf"):
    """The file in one of the forms, read, and its names of contigs."""
    if form == "ensembl_gff3":
        lines = (line for gene in all_genes for line in gff3(gene, ("gene:", "transcript:"), {}))
    elif form == "ncbi_gff3":
        regions = (
            f"{accession}\tx\tregion\t1\t9\t.\t+\t.\tID={accession}:1;chromosome={name};genome=chromosome"
            for name, accession in ACCESSIONS.items()
        )
        genes = (gff3(gene, ("gene-", "rna-"), ACCESSIONS) for gene in all_genes)
        lines = (*regions, *(line for gene in genes for line in gene))
    else:
        lines = (line for gene in all_genes for line in gtf(gene, stops=form == "ensembl_gtf"))
    path = tmp_path / form
    path.write_text("\n".join(lines) + "\n")
    return read_annotation(path), contig_names(path)


def random_ends(all_genes, seed=1, n=4000):
    rng = np.random.default_rng(seed)
    seqname = rng.choice(["I", "II", "III"], n)
    table = pd.DataFrame(
        {
            "seqname": seqname,
            "position": [rng.integers(0, CONTIGS[name]) for name in seqname],
            "strand": rng.choice(["+", "-"], n),
            "glucose": rng.integers(0, 3, n),
            "galactose": rng.integers(0, 3, n),
        }
    )
    return table.drop_duplicates(["seqname", "position", "strand"], ignore_index=True)


def slow_window(texts, gene):
    """Sequence and positions from the stop codon on, in the orientation of the gene."""
    places = [base for start, end in gene.stop() for base in range(start, end)]
    if gene.strand == "+":
        positions = list(range(places[0], places[0] + LENGTH))
        return "".join(texts[gene.seqname][i] for i in positions), positions
    positions = list(range(places[-1], places[-1] - LENGTH, -1))
    return "".join(reverse_complement(texts[gene.seqname][i]) for i in positions), positions


def build(tmp_path, ends=None, form="ensembl_gtf", all_genes=None, wrong=(), unknown=(), **options):
    all_genes = all_genes or genes()
    texts = genome(tmp_path / "genome.fa", all_genes, wrong, unknown)
    read, aliases = annotation(tmp_path, all_genes, form)
    built = build_examples(
        read,
        tmp_path / "genome.fa",
        random_ends(all_genes) if ends is None else ends,
        **{"chromosomes": HELD_OUT, "length": LENGTH, "aliases": aliases, **options},
    )
    return built, texts


SOURCES = {
    "ensembl_gtf": "stop_codon rows",
    "bare_gtf": "after the CDS",
    "ensembl_gff3": "end of the CDS",
    "ncbi_gff3": "end of the CDS",
}


@pytest.mark.parametrize("form", SOURCES)
def test_examples_are_those_of_a_loop(tmp_path, form):
    all_genes = genes()
    # Without rows of stop codons, one in two pieces cannot be told from one of another assembly.
    listed = [gene for gene in all_genes if form != "bare_gtf" or gene.name != "split"]
    ends = random_ends(all_genes)
    built, texts = build(tmp_path, ends, form, listed)
    table, counts, tracks, card = built
    reads = {
        place: values
        for *place, values in zip(
            *(ends[name] for name in ("seqname", "position", "strand")),
            ends[["glucose", "galactose"]].to_numpy(),
            strict=True,
        )
        for place in [tuple(place)]
    }
    expected = {}
    for gene in listed:
        if gene.name in ("edge", "split", "mito", "rna"):
            continue
        sequence, positions = slow_window(texts, gene)
        values = [reads.get((gene.seqname, i, gene.strand), (0, 0)) for i in positions]
        if np.sum(values):
            expected[gene.name] = gene, sequence, np.array(values).T, positions
    assert tracks == ("glucose", "galactose")
    assert table["id"].tolist() == list(expected) == table["group"].tolist()
    assert counts.dtype == np.int64 and counts.shape == (len(expected), 2, LENGTH)
    for row, (gene, sequence, values, positions) in enumerate(expected.values()):
        assert table["sequence"][row] == sequence
        assert sequence[:3] in STOP_CODONS
        np.testing.assert_array_equal(counts[row], values)
        place = [gene.seqname, min(positions), max(positions) + 1, gene.strand]
        assert table.loc[row, ["seqname", "start", "end", "strand"]].tolist() == place
    split = {"I": "train", "II": "test", "III": "valid"}
    assert table["split"].tolist() == [split[gene.seqname] for gene, *_ in expected.values()]
    assert card["stop_codons"]["taken_from"] == SOURCES[form]
    assert card["stop_codons"]["share"] == 1


def test_every_gene_is_followed_through_the_card(tmp_path):
    ends = random_ends(genes())
    built, _ = build(tmp_path, ends, unknown=("I3", "II2"))
    n = len(genes()) - 1
    steps = [(step["kept"], step["dropped"]) for step in built.card["waterfall"]]
    with_reads = len(built.table)
    assert steps[:7] == [
        (n, 0),
        (n, 0),
        (n - 1, 1),  # mito
        (n - 2, 1),  # split
        (n - 3, 1),  # edge
        (n - 5, 2),  # N
        (n - 5, 0),
    ]
    assert steps[7] == (with_reads, n - 5 - with_reads)
    assert not built.table["id"].isin(["I3", "II2"]).any()
    card, counts = built.card, built.counts
    for number, track in enumerate(built.tracks):
        reads = card["reads"][track]
        assert reads["all"] == ends[track].sum()
        assert reads["in_windows"] == counts[:, number].sum() > 0
        assert reads["share"] == pytest.approx(reads["in_windows"] / reads["all"])
        assert reads["genes_without"] == (counts[:, number].sum(-1) == 0).sum()
        by_split = [part[f"reads, {track}"] for part in card["splits"].values()]
        assert sum(by_split) == counts[:, number].sum()
    assert card["positions_with_reads"] == (counts.sum(1) > 0).sum()
    assert card["chromosomes"]["test"] == ["II"]
    assert sum(part["genes"] for part in card["splits"].values()) == with_reads
    assert card["intact_orfs"] is None
    assert card["reads_in_several_windows"] == 0
    assert card["leakage"]["test_rows_with_sequence_in_training"] == 0


def test_few_reads(tmp_path):
    ends = random_ends(genes())
    built, _ = build(tmp_path, ends)
    totals = built.counts.sum((1, 2))
    fewer, _ = build(tmp_path, ends, min_reads=3)
    assert fewer.table["id"].tolist() == built.table["id"][totals >= 3].tolist()
    assert 0 < len(fewer.table) < len(built.table)


def test_a_track_without_reads_is_named(tmp_path):
    """Before any training: no profile of it could be judged."""
    ends = random_ends(genes())
    message = "ends.bed: track 'galactose' has no gene with more than 5 reads in split '%s' .at most %d in"
    with pytest.raises(InputError, match=message % ("train", 0)):
        build(tmp_path, ends.assign(galactose=0), files={"ends": "ends.bed"})
    few = ends["galactose"].where(ends["seqname"] != "II", 0)
    few[few.index[ends["seqname"] == "II"][::60]] = 1
    with pytest.raises(InputError, match=r"split 'test' .at most [0-3] in \d+ genes"):
        build(tmp_path, ends.assign(galactose=few))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"min_reads": 9999},
            "step 'with 9999 reads or more'; lower polya.min_reads: no gene has more than",
        ),
        (
            {"length": 8900},
            "none of 5[0-9] genes .* 'window on the contig'; lower polya.length .8900.",
        ),
    ],
)
def test_a_step_that_leaves_no_gene(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, **options)


def test_reads_in_two_windows_are_counted_once(tmp_path):
    neighbours = [Gene("one", "I", "+", [(1010, 1025)]), Gene("two", "I", "+", [(1010, 1049)])]
    others = [gene for gene in genes() if gene.seqname in ("II", "III")]
    ends = random_ends(genes())
    ends = ends[ends["seqname"] != "I"]
    ends[["glucose", "galactose"]] += 3  # enough reads to judge profiles by
    more = pd.DataFrame({"seqname": "I", "position": [1030, 1060], "strand": "+"})
    ends = pd.concat([ends, more.assign(glucose=[5, 7], galactose=[5, 7])], ignore_index=True)
    built, _ = build(tmp_path, ends, all_genes=[*neighbours, *others])
    assert built.counts[:2].sum((1, 2)).tolist() == [24, 14]
    assert built.counts[0, 0, [1030 - 1022, 1060 - 1022]].tolist() == [5, 7]
    reads, held_out = built.card["reads"]["glucose"], built.counts[2:, 0].sum()
    assert reads["in_windows"] == 12 + held_out
    assert built.card["reads_in_several_windows"] == 14


def test_bases_show_where_reads_end(tmp_path):
    all_genes = [gene for gene in genes() if gene.name[0] == "I"]
    texts = genome(tmp_path / "genome.fa", all_genes)
    rows = []
    for gene in all_genes:
        if gene.name not in ("split",):
            sequence, positions = slow_window(texts, gene)
            rows += [
                (gene.seqname, positions[i], gene.strand)
                for i in range(5, LENGTH - 1)
                if sequence[i] == "C"
            ]
    ends = pd.DataFrame(rows, columns=["seqname", "position", "strand"]).assign(reads=1)
    built, _ = build(tmp_path, ends)
    assert built.card["bases"]["at"] == {"A": 0, "C": 1, "G": 0, "T": 0}
    assert built.card["bases"]["after"]["C"] < 0.5
    built, _ = build(tmp_path, ends.assign(position=ends["position"] + 1))
    assert built.card["bases"]["at"]["C"] < 0.8


def test_another_assembly_is_noticed(tmp_path):
    with pytest.raises(InputError, match=r"a.gtf and .*genome.fa: 53 of 54 windows .* II3"):
        build(tmp_path, wrong=("II3",), files={"annotation": "a.gtf"})
    many = [Gene(f"g{i}", "I", "+", [(100 + 20 * i, 115 + 20 * i)]) for i in range(200)] + [
        gene for gene in genes() if gene.seqname in ("II", "III")
    ]
    built, _ = build(tmp_path, all_genes=many, wrong=("g7",))
    assert "g7" not in built.table["id"].tolist()
    assert built.card["waterfall"][6]["dropped"] == 1

    far = random_ends(genes())
    far.loc[far["seqname"] == "II", "position"] += 4000
    with pytest.raises(InputError, match="ends.bed: .* beyond the end of their contig .* II:"):
        build(tmp_path, far, files={"ends": "ends.bed"})


def test_transcripts_that_cover_an_orf(tmp_path):
    all_genes = genes()
    chosen = [gene for gene in all_genes if gene.name not in ("mito", "rna")]
    intact = pd.DataFrame(
        {
            "seqname": [{"I": "1", "II": "2", "III": "3"}[gene.seqname] for gene in chosen],
            "start": [gene.pieces[0][0] for gene in chosen],
            "end": [gene.pieces[-1][1] for gene in chosen],
            "strand": [gene.strand for gene in chosen],
            "gene": [gene.name for gene in chosen],
        }
    )
    unknown = intact.iloc[:3].assign(gene="elsewhere")
    both = pd.concat([intact, unknown], ignore_index=True)
    built, _ = build(tmp_path, form="ensembl_gff3", intact_orfs=both)
    assert built.card["intact_orfs"] == {
        "transcripts": len(both),
        "of_known_genes": len(intact),
        "share": 1.0,
    }
    with pytest.raises(
        InputError, match="none of 3 transcripts .* elsewhere, elsewhere, elsewhere"
    ):
        build(tmp_path, form="ensembl_gff3", intact_orfs=unknown)
    with pytest.raises(
        InputError, match="tif.txt and .* intact ORF.* exceptions include one of I0"
    ):
        build(
            tmp_path,
            form="ensembl_gff3",
            intact_orfs=intact.assign(start=intact["start"] + 1),
            files={"ends": "tif.txt"},
        )


def test_contigs_under_other_names(tmp_path):
    ends = random_ends(genes())
    expected, _ = build(tmp_path, ends)
    arabic = ends.assign(seqname=ends["seqname"].map({"I": "1", "II": "2", "III": "3"}))
    plasmid = pd.DataFrame({"seqname": ["2-micron"], "position": [5], "strand": ["+"]})
    arabic = pd.concat([arabic, plasmid.assign(glucose=9, galactose=0)], ignore_index=True)
    built, _ = build(tmp_path, arabic, "ncbi_gff3", chromosomes={"test": [2], "valid": ["3"]})
    pd.testing.assert_frame_equal(built.table, expected.table)
    np.testing.assert_array_equal(built.counts, expected.counts)
    assert built.card["unknown_contigs"]["reads"] == {"2-micron": 9}
    assert built.card["unknown_contigs"]["genes"] == {}
    strange = ends.assign(seqname="scaffold_" + ends["seqname"])
    with pytest.raises(InputError, match="are on contigs missing from .*genome.fa: scaffold_"):
        build(tmp_path, strange)
    built, _ = build(tmp_path, strange, aliases={f"scaffold_{name}": name for name in CONTIGS})
    np.testing.assert_array_equal(built.counts, expected.counts)


@pytest.mark.parametrize(
    ("chromosomes", "message"),
    [
        ({"test": ["II"], "valid": ["II"]}, "'II' is given twice, for test and for valid"),
        ({"test": ["II"], "valid": ["chrII"]}, "'chrII' is given twice"),
        ({"test": ["II"], "valid": ["2"]}, "'2' is given twice, for test and for valid"),
        ({"test": ["IV"], "valid": ["III"]}, "'IV', to be held out for test, is not in"),
        ({"test": ["II"], "valid": []}, "split 'valid' has no genes"),
        ({"test": ["II"], "valid": ["Mito"]}, "split 'valid' has no genes"),
        ({"test": ["II", "I"], "valid": ["III"]}, "split 'train' has no genes"),
    ],
)
def test_wrong_splits(tmp_path, chromosomes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, chromosomes=chromosomes)


def test_each_chromosome_in_its_own_naming(tmp_path):
    built, _ = build(tmp_path, chromosomes={"test": ["II"], "valid": ["3"]})
    assert built.card["chromosomes"] == {"test": ["II"], "train": ["I"], "valid": ["III"]}


def at_a(texts, all_genes, seed=3):
    """3' ends at each A of the genes' windows, few on the other strand."""
    rng, rows = np.random.default_rng(seed), []
    for gene in all_genes:
        if gene.name not in ("split", "mito", "rna", "edge"):
            sequence, positions = slow_window(texts, gene)
            for i in np.flatnonzero(np.array(list(sequence)) == "A"):
                rows.append((gene.seqname, positions[i], gene.strand, int(rng.integers(1, 9))))
    table = pd.DataFrame(rows, columns=["seqname", "position", "strand", "reads"])
    return table.drop_duplicates(["seqname", "position", "strand"], ignore_index=True)


def test_ends_that_fit_the_genome(tmp_path, monkeypatch, caplog):
    """Swapped strands and a shift by 20 nt are refused, one by 1 nt is told, and few places are not judged."""
    all_genes = genes()
    ends = at_a(genome(tmp_path / "genome.fa", all_genes), all_genes)
    other = ends.assign(strand=ends["strand"].map({"+": "-", "-": "+"}))
    downstream = np.where(ends["strand"] == "+", 1, -1)
    assert not build(tmp_path, ends)[0].card["ends"]["judged"]
    monkeypatch.setattr(polya_guards, "LEAST_PLACES", 300)
    found = build(tmp_path, ends)[0].card["ends"]
    assert found["judged"] and found["shift"] == 0 and found["share_of_a"]["0"] == 1
    assert 0.2 < found["overall"] < 0.3 and found["antisense"] < found["sense"] / 5
    assert not caplog.records
    # Of reads on the other strand only those in another gene's window would be left.
    swapped = pd.concat([ends.assign(reads=1), other.assign(reads=3)], ignore_index=True)
    with pytest.raises(InputError, match="on the strand of the gene and .*are the strands swapped"):
        build(tmp_path, swapped.drop_duplicates(["seqname", "position", "strand"]))
    with pytest.raises(InputError, match="ends.bed: the share of A at 3' ends and up to 2 nt"):
        moved = ends.assign(position=ends["position"] + 20 * downstream)
        build(tmp_path, moved, files={"ends": "ends.bed"})
    for shift in (-1, 1):
        moved = ends.assign(position=ends["position"] + shift * downstream)
        assert build(tmp_path, moved)[0].card["ends"]["shift"] == -shift
        assert f"most A's are {-shift:+d} nt from the given positions (100 %" in caplog.text


def test_nothing_to_build_from(tmp_path):
    with pytest.raises(InputError, match="no protein-coding gene"):
        build(tmp_path, all_genes=[gene for gene in genes() if gene.name == "rna"])
    with pytest.raises(InputError, match="no reads"):
        build(tmp_path, random_ends(genes()).assign(glucose=0, galactose=0))


def test_one_transcript_a_gene(tmp_path):
    def lines(name, end, stop, biotype="protein_coding", tag=""):
        keys = f'gene_id "g"; gene_biotype "protein_coding"; transcript_id "{name}";'
        keys += f' transcript_biotype "{biotype}";' + (f' tag "{tag}";' if tag else "")
        yield f"1\tx\tCDS\t100\t{end}\t.\t+\t0\t{keys}"
        if stop:
            yield f"1\tx\tstop_codon\t{end + 1}\t{end + 3}\t.\t+\t0\t{keys}"

    def chosen(*transcripts):
        path = tmp_path / "a.gtf"
        path.write_text("\n".join(line for one in transcripts for line in one) + "\n")
        return coding_genes(read_annotation(path))["end"].tolist()

    short, long = lines("a", 200, True), lines("b", 300, True)
    assert chosen(short, long) == [300]
    assert chosen(lines("a", 200, True, tag="basic"), lines("b", 300, False)) == [200]
    canonical = lines("a", 200, True, tag="Ensembl_canonical")
    assert chosen(canonical, lines("b", 300, True)) == [200]
    decay = lines("a", 400, True, "nonsense_mediated_decay", "Ensembl_canonical")
    assert chosen(decay, lines("b", 300, True)) == [300]
