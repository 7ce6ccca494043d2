"""Plug in a species by one YAML file."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import snakemake

from nucleotune.simulate.paths import promoter_paths
from nucleotune.studies.lncrna.toy import write_toy_species
from nucleotune.studies.promoters.toy import write_promoter_study

pytestmark = pytest.mark.slow


def overlay(folder, species, text=""):
    path = folder / "run.yaml"
    path.write_text(
        f"studies: [lncrna]\nplugins: [{folder}]\noffline: true\nmirrors: [{folder}/mirror]\n{text}"
        f"lncrna:\n  species: [{species}]\n  splits: [gene]\n  methods: [tfidf, length]\n"
    )
    return ["--configfile", str(path)]


def species_file(folder, name, text):
    path = folder / "species" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_third_species_from_an_ensembl_mirror(tmp_path):
    """A species unknown to the project: one YAML, its files in a directory laid out as `wget -x` does."""
    names = {"species": "danio_novus", "assembly": "GRZ9", "release": 109}
    write_toy_species(
        tmp_path / "mirror", **names, seed=3, coding_genes=60, lncrna_genes=60, small_rnas=12
    )
    species_file(
        tmp_path,
        "novel_fish",
        "title: Novel fish\nnoncoding: {gene_biotypes: [lncRNA]}\n"
        "ensembl: {release: 109, species: danio_novus, assembly: GRZ9}\n",
    )
    snakemake(tmp_path, "lncrna_table1", "lncrna_table3", *overlay(tmp_path, "novel_fish"))
    table = pd.read_csv(tmp_path / "results/tables/lncrna_table3.tsv", sep="\t")
    measured = table[table["dataset"] == "Novel fish"]
    assert set(measured["method"]) == {"TF-IDF n-grams + logistic regression", "Length only"}
    assert set(measured["status"]) == {"not comparable"}
    lock = (tmp_path / "resources/downloads.lock.tsv").read_text()
    assert lock.count("danio_novus") == 2, "real downloads are held to their first sha256"


def test_own_files_with_headers_of_any_form(tmp_path):
    rng = np.random.default_rng(0)

    def records(prefix, gc):
        p = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
        for i in range(80):
            sequence = "".join(rng.choice(list("acgu"), rng.integers(150, 400), p=p))
            gene = f'gene_id "{prefix}G{i // 2}"; ' if prefix == "C" or i < 70 else ""
            yield f'>chr1\tx\t{gene}transcript_id "{prefix}{i}";\r\n{sequence}\r\n'

    (tmp_path / "coding.fa").write_text("".join(records("C", 0.6)), newline="")
    (tmp_path / "other.fa").write_text("".join(records("L", 0.4)), newline="")
    header = """'(?:gene_id "(?P<gene>[^"]+)"; )?transcript_id "(?P<id>[^"]+)"'"""
    species_file(
        tmp_path,
        "mine",
        f"title: Mine\ncoding: {{files: [{{urls: ['file://{tmp_path}/coding.fa']}}], header: {header}}}\n"
        f"noncoding: {{files: [{{path: other.fa}}], header: {header}}}\n",
    )
    done = snakemake(
        tmp_path, "lncrna_table3", *overlay(tmp_path, "mine", f"data_dir: {tmp_path}\n")
    )
    table = pd.read_csv(tmp_path / "results/tables/lncrna_table3.tsv", sep="\t")
    assert "split 'gene': the gene of 10 of 160 transcripts is not known" in done.stdout
    (note,) = table.loc[table["measured"].notna(), "note"].unique()
    assert note.startswith("the gene of 10 of 160 transcripts is not known")
    auroc = table[(table["metric"] == "auroc") & table["method"].str.startswith("TF-IDF")]
    assert auroc["measured"].iloc[0] > 0.9


def test_species_without_lncrna_fails_early_with_the_biotypes_found(tmp_path):
    (tmp_path / "cds.fa").write_text(
        ">C1 cds chromosome:A:1:1:9:1 gene:G1 gene_biotype:protein_coding"
        f" transcript_biotype:protein_coding\n{'ACGT' * 40}\n"
    )
    (tmp_path / "ncrna.fa").write_text(
        "".join(
            f">T{i} ncrna chromosome:A:1:1:9:1 gene:G{i} gene_biotype:{biotype}"
            f" transcript_biotype:{biotype}\n{'ACGA' * 40}\n"
            for i, biotype in enumerate(["tRNA"] * 5 + ["snoRNA"] * 2)
        )
    )
    species_file(
        tmp_path,
        "yeast",
        "title: Yeast\ncoding: {files: [{path: cds.fa}]}\n"
        "noncoding: {files: [{path: ncrna.fa}], gene_biotypes: [lncRNA]}\n",
    )
    done = snakemake(
        tmp_path,
        "lncrna_table3",
        *overlay(tmp_path, "yeast", f"data_dir: {tmp_path}\n"),
        check=False,
    )
    assert done.returncode == 1
    assert "no record has gene_biotype lncRNA" in done.stdout
    assert "5  tRNA" in done.stdout and "2  snoRNA" in done.stdout
    assert not list((tmp_path / "results").glob("**/*.parquet"))


def test_own_files_for_the_promoter_study(tmp_path):
    """Genome, GTF, GCT and one CSV of labelled sequences; no Ensembl, no EPDnew, no parts of GUE."""
    names = {"species": "own_species", "assembly": "O1", "release": 1}
    write_promoter_study(tmp_path / "source", seed=4, genes=400, **names)
    paths = {name: tmp_path / "source" / path for name, path in promoter_paths(**names).items()}
    own = {"genome": "dna", "annotation": "gtf", "expression": "gtex", "gue_train": "gue_train"}
    files = {}
    for name, source in own.items():
        files[name] = f"my-{name}{''.join(paths[source].suffixes[-2:])}"
        shutil.copy(paths[source], tmp_path / files[name])
    shutil.rmtree(tmp_path / "source")
    listed = ", ".join(f"{name}: {path}" for name, path in files.items())
    species_file(tmp_path, "mine", f"title: Mine\npromoters: {{files: {{{listed}}}}}\n")
    (tmp_path / "run.yaml").write_text(
        f"studies: [promoters]\nplugins: [{tmp_path}]\ndata_dir: {tmp_path}\n"
        "promoters:\n  species: [mine]\n  tasks: [task1, task3, task4]\n  lengths: [300, 1000]\n"
        "  splits: [random, chromosome]\n  methods: [gc, dinucleotide]\n  expression_methods: [biotype]\n"
    )
    done = snakemake(tmp_path, "promoters", "--configfile", str(tmp_path / "run.yaml"))
    answer = "promoters: No language model was compared with a baseline in this run."
    assert done.stdout.count(f"{answer} See results/reports/promoters.html\n") == 1
    assert len(list(tmp_path.glob("results/promoters/*/comparison.tsv"))) == 7
    table = pd.read_csv(tmp_path / "results/tables/promoters_table2.tsv", sep="\t")
    ran = table[table["measured"].notna()]
    assert set(ran["dataset"]) == {"Mine, random split", "Mine, chromosome split"}
    assert set(ran["method"]) == {"GC content only", "Dinucleotides only", "Biotype only"}
    assert set(ran["status"]) == {"not comparable"}
    results = tmp_path / "results/promoters"
    assert not (results / "mine_task1_chromosome").exists(), "a CSV has no places"
    card = json.loads((results / "mine_task4_chromosome/card.json").read_text())
    assert card["leakage"]["genes_shared"] == 0
    assert not (tmp_path / "resources/downloads").exists()
