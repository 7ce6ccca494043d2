"""From a species' files to the examples of the poly(A) study: every form of annotation and of counts."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from nucleotune.errors import InputError
from nucleotune.genome.annotation import (
    read_annotation,
    read_contig_names,
    read_with_contigs,
    write_annotation,
)
from nucleotune.genome.ends import read_tifseq
from nucleotune.plugins import load_species
from nucleotune.simulate.paths import polya_paths
from nucleotune.studies.polya.build import build_polya
from nucleotune.studies.polya.toy import write_polya_study

NAMES = {"species": "toy_yeast", "assembly": "TOYY1", "release": 110}
SETTINGS = {"length": 300, "min_reads": 1}
TRACKS = ("glucose", "galactose")
TIFSEQ = {"format": "tifseq", "path": "x"}


class Yeast:
    """A simulated yeast, unpacked and read as rules genome and annotation do."""

    def __init__(self, folder):
        mirror = folder / "mirror"
        write_polya_study(mirror, seed=1, genes=150, **NAMES)
        self.paths = {name: mirror / path for name, path in polya_paths(**NAMES).items()}
        self.genome = folder / "toy.fa"
        self.genome.write_bytes(gzip.decompress(self.paths["dna"].read_bytes()))
        self.annotations = {}
        for form in ("gtf", "gff3"):
            self.annotations[form] = folder / f"{form}.parquet"
            source = self.paths[form]
            table, contigs = read_with_contigs(source)
            write_annotation(table, self.annotations[form], contigs)
        self.ends = read_tifseq(self.paths["tifseq"])

    def build(self, folder, entries, ends, form="gtf", genome=None, **polya):
        """Examples; `entries` as in a species file, `ends` the files by name."""
        block = {"ends": entries, "chromosomes": {"test": ["VII"], "valid": ["XV"]}, **polya}
        species = {"title": "Toy", "ensembl": NAMES, "polya": block}
        (folder / "species").mkdir(exist_ok=True)
        (folder / "species" / "toy.yaml").write_text(yaml.safe_dump(species))
        files = {"genome": genome or self.genome, "annotation": self.annotations[form], **ends}
        return build_polya(
            {name: str(path) for name, path in files.items()},
            species=load_species("toy", [folder])["polya"],
            settings=SETTINGS,
        )


@pytest.fixture(scope="module")
def yeast(tmp_path_factory):
    return Yeast(tmp_path_factory.mktemp("yeast"))


@pytest.fixture(scope="module")
def expected(yeast, tmp_path_factory):
    """Examples of Ensembl's GTF and the table of GEO."""
    folder = tmp_path_factory.mktemp("expected")
    return yeast.build(folder, [TIFSEQ], {"ends_0": yeast.paths["tifseq"]})


def assert_same(built, expected):
    pd.testing.assert_frame_equal(
        built.table.sort_values("id", ignore_index=True),
        expected.table.sort_values("id", ignore_index=True),
        check_dtype=False,
    )
    order, own = np.argsort(expected.table["id"]), np.argsort(built.table["id"])
    columns = [built.tracks.index(track) for track in expected.tracks]
    np.testing.assert_array_equal(built.counts[own][:, columns], expected.counts[order])


def test_table_of_geo(expected, yeast):
    assert expected.tracks == TRACKS
    assert set(expected.table["split"]) == {"train", "valid", "test"}
    assert expected.card["intact_orfs"] is None
    # Of the reads near genes nearly all lie behind one.
    assert 0.9 < expected.card["reads"]["glucose"]["share"] <= 1
    assert expected.counts.sum() <= yeast.ends[list(TRACKS)].to_numpy().sum()


def test_annotation_of_ncbi_and_table_of_the_supplement(yeast, expected, tmp_path):
    """Contigs are BK990001.1 here and 1, 2 .. there; the reads are the same."""
    assert set(read_annotation(yeast.paths["gff3"])["seqname"]) == set(
        read_contig_names(yeast.annotations["gff3"])
    )
    assert read_contig_names(yeast.annotations["gff3"])["BK990001.1"] == "I"
    assert read_contig_names(yeast.annotations["gtf"]) == {}
    built = yeast.build(tmp_path, [TIFSEQ], {"ends_0": yeast.paths["tifs_s1"]}, form="gff3")
    assert_same(built, expected)
    assert built.card["intact_orfs"]["share"] == 1


def test_genome_of_ncbi(yeast, expected, tmp_path):
    """Genome and annotation both by accession, counts by number."""
    accessions = {
        name: accession for accession, name in read_contig_names(yeast.annotations["gff3"]).items()
    }
    text = yeast.genome.read_text()
    for name, accession in accessions.items():
        text = text.replace(f">{name} ", f">{accession} ")
    genome = tmp_path / "ncbi.fa"
    genome.write_text(text)
    ends = {"ends_0": yeast.paths["tifseq"]}
    built = yeast.build(tmp_path, [TIFSEQ], ends, form="gff3", genome=genome)
    renamed = built.table.assign(
        seqname=built.table["seqname"].map({v: k for k, v in accessions.items()})
    )
    assert_same(built._replace(table=renamed), expected)


def as_bed(yeast, folder):
    entries, files = [], {}
    for number, track in enumerate(TRACKS):
        entries.append({"format": "bed", "path": "x", "track": track})
        table = yeast.ends[yeast.ends[track] > 0]
        columns = {
            "seqname": table["seqname"],
            "start": table["position"],
            "end": table["position"] + 1,
            "name": ".",
            "score": table[track],
            "strand": table["strand"],
        }
        files[f"ends_{number}"] = folder / f"{track}.bed"
        pd.DataFrame(columns).to_csv(files[f"ends_{number}"], sep="\t", header=False, index=False)
    return entries, files


def as_bedgraphs(yeast, folder):
    entries, files = [], {}
    for number, track in enumerate(TRACKS):
        entries.append({"format": "bedgraph", "path": "x", "minus": "y", "track": track})
        for strand, name in (("+", "ends"), ("-", "minus")):
            table = yeast.ends[(yeast.ends["strand"] == strand) & (yeast.ends[track] > 0)]
            place = [table["seqname"], table["position"], table["position"] + 1, table[track]]
            files[f"{name}_{number}"] = folder / f"{track}{strand}.bedGraph"
            pd.concat(place, axis=1).to_csv(
                files[f"{name}_{number}"], sep="\t", header=False, index=False
            )
    return entries, files


def as_table(yeast, folder):
    path = folder / "ends.csv"
    table = yeast.ends.rename(columns={"seqname": "contig", "glucose": "a"})
    table["b"] = table["a"] // 2
    table["a"] -= table["b"]
    table.to_csv(path, index=False)
    entry = {
        "format": "table",
        "path": "x",
        "first": 0,
        "columns": {"seqname": "contig"},
        "tracks": {"glucose": ["a", "b"], "galactose": ["galactose"]},
    }
    return [entry], {"ends_0": path}


@pytest.mark.parametrize("form", [as_bed, as_bedgraphs, as_table])
def test_other_forms_of_counts(form, yeast, expected, tmp_path):
    assert_same(yeast.build(tmp_path, *form(yeast, tmp_path)), expected)


def test_tracks_of_the_users(yeast, expected, tmp_path):
    entry = {**TIFSEQ, "tracks": {"all": ["ypd", "lypd", "nypd", "gal", "lgal", "ngal"]}}
    built = yeast.build(tmp_path, [entry], {"ends_0": yeast.paths["tifseq"]})
    assert built.tracks == ("all",)
    np.testing.assert_array_equal(built.counts[:, 0], expected.counts.sum(axis=1))


def test_names_of_the_users_own(yeast, expected, tmp_path):
    entries, files = as_table(yeast, tmp_path)
    table = pd.read_csv(files["ends_0"], dtype={"contig": "str"})
    table["contig"] = "lg" + table["contig"]
    table.to_csv(files["ends_0"], index=False)
    chromosomes = re.findall(r">(\S+) ", yeast.genome.read_text())
    names = {f"lg{number}": name for number, name in enumerate(chromosomes, start=1)}
    assert names["lg7"] == "VII"
    assert_same(yeast.build(tmp_path, entries, files, aliases=names), expected)
    with pytest.raises(InputError, match="ends.csv: .* reads are on contigs missing from .*: lg"):
        yeast.build(tmp_path, entries, files)
