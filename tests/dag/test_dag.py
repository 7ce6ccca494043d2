"""What would run, for the configurations that users start from; nothing is executed."""

import re

import pytest
from conftest import ROOT, job_counts, snakemake

from nucleotune.config import load_run
from nucleotune.plan.run import Run
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml


def plan(folder, *arguments):
    return job_counts(snakemake(folder, *arguments, "--dry-run", "--quiet", "rules").stdout)


def overlay(folder, text):
    path = folder / "overlay.yaml"
    path.write_text(text)
    return ["--configfile", str(path)]


def test_default_run(tmp_path):
    counts = plan(tmp_path)
    tables = {
        **{f"lncrna_table{number}": 1 for number in (1, 2, 3, 4, 6)},
        **{f"promoters_table{number}": 1 for number in range(1, 5)},
        "promoters_truncation": 1,
        "promoters_controls": 1,
        "promoters_reading": 1,
        **{f"rbp_table_{name}": 1 for name in ("auroc", "comparison")},
        "polya_table3": 1,
        "polya_table4": 1,
    }
    assert {name: counts[name] for name in tables} == tables
    # Two species and a collection of RBPs are simulated, and the published models of two encoders.
    assert counts["simulate"] == 2 and counts["simulate_collection"] == 1
    assert counts["simulate_model"] == counts["checkpoint"] == 2
    # One data set of transcripts, four of promoters, three proteins, one yeast.
    assert counts["lncrna_examples"] == counts["polya_examples"] == 1
    assert counts["promoters_examples"] == 4 and counts["rbp_examples"] == 3
    # A first stage on the pool and the second; jobs shared by data sets; profile models.
    assert counts["finetune"] == 2 + 3
    assert counts["take_finetuned"] == 4 + 1 + 2 * 3 and counts["finetune_shared"] == 2 + 2
    assert counts["baseline"] == 8 + 4 * 2 + 2 + 3 * 3
    assert counts["study_report"] == 4


def test_lncrna_alone(tmp_path):
    counts = plan(tmp_path, "--configfile", str(ROOT / "config/lncrna.yaml"))
    # Two splits of one species; eleven methods, two of them language models; one has a first stage on each pool.
    assert counts == {
        "simulate": 1,
        "download": 2,
        "lncrna_examples": 2,
        "lncrna_pool": 2,
        "finetune": 6,
        "baseline": 18,
        "evaluate": 22,
        "compare": 2,
        **{f"lncrna_table{number}": 1 for number in (1, 2, 3, 4, 6)},
        "lncrna_figure3": 1,
        "lncrna_figure4": 1,
        "study_report": 1,
        "overview": 1,
        "all": 1,
    }


def test_promoters_with_all_models(tmp_path):
    counts = plan(tmp_path, "--configfile", str(ROOT / "config/promoters.yaml"))
    # Four tasks, Task 3 in two lengths; three language models and three others on each; on Task 2 three k-mer models
    # more, on Task 3 one baseline more, on its longer promoters two sides of truncation more; trainings of a method
    # share a job.
    assert counts["download"] == 7 + 6 * 3 and counts["simulate_model"] == counts["checkpoint"] == 6
    assert counts["finetune_shared"] == 3 + 3 + 2
    assert counts["take_finetuned"] == 5 * 3 + 3 + 2
    assert counts["baseline"] == 5 * 3 + 2
    assert counts["evaluate"] == 5 * 6 + 3 + 2 + 2 and counts["compare"] == 5
    assert counts["attention_profile"] == 1


def test_rbps_by_collection(tmp_path):
    counts = plan(tmp_path, "--configfile", str(ROOT / "config/rbp.yaml"))
    # Three proteins in two collections: given sequences, and peaks of two cell lines each.
    assert counts["rbp_examples"] == 6
    assert counts["baseline"] == 6 * 6 and counts["take_finetuned"] == 6 * 2
    assert counts["rbp_structures"] == counts["rbp_regions"] == counts["rbp_attention"] == 6
    assert counts["annotation"] == counts["genome"] == 2
    assert counts["download"] == 4 + 2 * 3 + 3, "sequences, GTF, genome, chain; peaks; a model"


def test_own_collection(tmp_path):
    """FASTA of one's own: nothing is fetched; a missing file is named before any job."""
    folder = tmp_path / "collections"
    folder.mkdir()
    (folder / "mine.yaml").write_text("title: Mine\nformat: fasta\nsheet: mine.tsv\n")
    (folder / "mine.tsv").write_text("rbp\tpositives\tnegatives\nPTBP1\tup.fa\tdown.fa\n")
    text = (
        f"studies: [rbp]\nplugins: [{tmp_path}]\ndata_dir: {tmp_path}\n"
        "rbp: {collections: [mine], methods: [rbp-tfidf, gc]}\n"
    )
    (tmp_path / "up.fa").touch()
    done = snakemake(tmp_path, "rbp", *overlay(tmp_path, text), check=False)
    assert done.returncode == 1 and not (tmp_path / "results").exists()
    assert f"PTBP1: negatives: no file {tmp_path / 'down.fa'}" in done.stdout
    assert "Traceback" not in done.stdout
    (tmp_path / "down.fa").touch()
    counts = plan(tmp_path, "rbp", *overlay(tmp_path, text))
    assert "download" not in counts and counts["rbp_examples"] == 1 and counts["baseline"] == 2


def test_paper_run(tmp_path):
    counts = plan(tmp_path, "--configfile", str(ROOT / "config/paper.yaml"))
    # Coding and non-coding, human and mouse; genome, annotation, GTEx, EPDnew, three parts of GUE; genome, annotation
    # and TIF-seq of yeast; seven published models of three files.
    assert counts["download"] == 4 + 7 + 3 + 7 * 3 and counts["checkpoint"] == 7
    assert {"simulate", "simulate_model"}.isdisjoint(counts)
    # Two views of the transcript; 2 species x 2 splits x 3 seeds, and one shared first stage for each split and seed.
    lncrna = 2 * (12 + 6)
    # Tasks 1, 2, 4 and four lengths of Task 3 under the random split; Tasks 3 and 4 by chromosome, too.
    datasets = 7 + 5
    assert counts["promoters_examples"] == datasets
    # Three seeds: three models on each, three of other k-mers on Task 2, two sides of truncation on
    # three longer lengths in two splits.
    promoters = 3 * (datasets * 3 + 3 + 3 * 2 * 2)
    # Three seeds of four models of profiles on yeast.
    trained = lncrna + promoters + 3 * 4
    assert counts["finetune"] + counts.get("take_finetuned", 0) == trained
    assert counts["baseline"] == 2 * 2 * 3 * 9 + 3 * (datasets * 3 + 2 * 4)
    assert counts["lncrna_table5"] == counts["lncrna_figure5"] == 1, "the mouse has its own"


def test_fetch_needs_nothing_else(tmp_path):
    counts = plan(tmp_path, "fetch", "--configfile", str(ROOT / "config/paper.yaml"))
    assert counts == {"download": 35, "fetch": 1}


def own_species(folder, text):
    """A species file of one's own, `mine`, and the overlay of a run of Tasks 1 and 3 on it."""
    path = folder / "species/mine.yaml"
    path.parent.mkdir()
    path.write_text(text)
    return overlay(
        folder,
        f"studies: [promoters]\nplugins: [{folder}]\ndata_dir: {folder}\n"
        "promoters: {species: [mine], tasks: [task1, task3]}\n",
    )


def test_source_that_a_task_lacks_is_named_before_any_job(tmp_path):
    ensembl = "{release: 110, species: danio_rerio, assembly: GRCz11}"
    arguments = own_species(
        tmp_path, f"title: Mine\nensembl: {ensembl}\npromoters: {{files: {{gue_train: a.csv}}}}\n"
    )
    (tmp_path / "a.csv").write_text("sequence,label\n")
    done = snakemake(tmp_path, "promoters_table1", *arguments, check=False)
    assert done.returncode == 1 and not (tmp_path / "results").exists()
    message = "species/mine.yaml: promoters: task3 needs expression; say where it is"
    assert message in done.stdout and "leave task3 out of promoters.tasks" in done.stdout
    assert "Traceback" not in done.stdout


def test_own_files_are_not_fetched(tmp_path):
    """One CSV is enough for Task 1."""
    names = {"genome": "g.fa", "annotation": "a.gff3", "expression": "e.gct", "gue_train": "t.csv"}
    for name in names.values():
        (tmp_path / name).write_text("sequence,label\n")
    files = ", ".join(f"{key}: {name}" for key, name in names.items())
    arguments = own_species(tmp_path, f"title: Mine\npromoters: {{files: {{{files}}}}}\n")
    counts = plan(tmp_path, "promoters_table3", *arguments)
    # One length is enough for Table 3: all have the same genes.
    assert counts == {"genome": 1, "annotation": 1, "promoters_examples": 1, "promoters_table3": 1}
    path = "results/promoters/mine_task1_random/examples.parquet"
    assert plan(tmp_path, path, *arguments) == {"promoters_examples": 1}


def test_promoters_alone(tmp_path):
    """A study that is not named takes no part: nothing of lncrna is fetched, trained or shown."""
    text = "studies: [promoters]\npromoters: {tasks: [task4], methods: [gc]}\n"
    counts = plan(tmp_path, "promoters_table2", "fetch", *overlay(tmp_path, text))
    files = 2  # genome, annotation
    assert counts["download"] == files and counts["promoters_examples"] == counts["baseline"] == 1
    assert not any("lncrna" in rule for rule in counts)


def test_named_targets(tmp_path):
    """Every name that Snakemake lists can be asked for; those of tables and figures are the studies' products."""
    run = Run.of(load_run(read_yaml(ROOT / "config/demo.yaml")), STUDIES)
    products = {one.name for study in run.datasets for one in STUDIES[study].products(run)}
    listed = set(snakemake(tmp_path, "--list-target-rules").stdout.split())
    assert products | {*STUDIES, "polya_motifs", "report", "all", "fetch", "lock_models"} <= listed
    targets = [*sorted(products), *STUDIES, "polya_motifs", "report", "all", "fetch", "lock_models"]
    assert set(targets) <= set(plan(tmp_path, *targets))


@pytest.mark.parametrize("target", ["lncrna_table1", "promoters_table3"])
def test_a_table_asks_for_what_it_shows_and_no_more(tmp_path, target):
    trainings = {"finetune", "finetune_shared", "baseline"}
    assert trainings.isdisjoint(plan(tmp_path, target))


def test_only_first_stages_are_trained_on_pools(tmp_path):
    """Two language models: one of two stages, one that starts from nothing and never sees the pool."""
    methods = tmp_path / "methods/alone.yaml"
    methods.parent.mkdir()
    methods.write_text(
        "title: Alone\nkind: language_model\nmodel: lora-bert-tiny\n"
        "training: {epochs: 1, batch_size: 8, learning_rate: 1.0e-3}\n"
    )
    text = (
        f"studies: [lncrna]\nplugins: [{tmp_path}]\n"
        "lncrna: {methods: [lora-bert-tiny, alone, gc], splits: [gene]}\n"
    )
    counts = plan(tmp_path, "report", *overlay(tmp_path, text))
    assert counts["finetune"] == 3


def test_seeds_and_methods_fan_out(tmp_path):
    text = (
        "studies: [lncrna]\nseeds: [1, 2, 3]\nlncrna: {splits: [gene], methods: [cpc2, length]}\n"
    )
    counts = plan(tmp_path, "lncrna_table3", *overlay(tmp_path, text))
    assert counts["baseline"] == 6 and counts["evaluate"] == 2
    assert "finetune" not in counts and "lncrna_pool" not in counts


def test_trainings_share_jobs(tmp_path):
    """Three data sets, two to a job: two jobs a method and seed; first stages on pools have their own."""
    text = (
        "studies: [lncrna]\nseeds: [1, 2]\nlncrna: {per_job: 2, species: [human, mouse, toy], splits: [paper],"
        " methods: [lora-bert-tiny, length]}\n"
    )
    counts = plan(tmp_path, "lncrna_table2", *overlay(tmp_path, text))
    assert counts["finetune_shared"] == 2 * 2 and counts["take_finetuned"] == 3 * 2
    assert counts["finetune"] == 2


def test_keys_on_the_command_line_change_the_demo(tmp_path):
    """Without a file the demo runs, with one its settings are gone."""
    counts = plan(tmp_path, "rbp", "--config", "studies=[rbp]", "offline=False")
    assert counts["simulate_collection"] == 1 and counts["baseline"] == 3 * 3
    counts = plan(tmp_path, "rbp", *overlay(tmp_path, "rbp: {methods: [gc]}"))
    assert counts["baseline"] == 3 and "rbp_attention" not in counts


@pytest.mark.parametrize("target", ["polya", "polya_table3"])
def test_target_of_a_study_that_is_not_named(tmp_path, target):
    done = snakemake(
        tmp_path, target, *overlay(tmp_path, "rbp: {methods: [gc]}"), "--dry-run", check=False
    )
    assert done.returncode == 1
    assert f"target '{target}': study 'polya' is not of this run, which has rbp" in done.stdout
    assert "add it to 'studies' (overlay.yaml)" in done.stdout


def test_mistyped_key_stops_before_any_job(tmp_path):
    done = snakemake(tmp_path, *overlay(tmp_path, "lncrna: {methodes: [cpc2]}"), check=False)
    assert done.returncode == 1
    assert "unknown key 'lncrna.methodes'; did you mean 'methods'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results").exists()


def test_offline_lists_what_is_missing_before_any_job(tmp_path):
    text = "studies: [lncrna]\noffline: true\nmirrors: [my-mirror]\nlncrna: {species: [human]}\n"
    done = snakemake(tmp_path, "fetch", *overlay(tmp_path, text), check=False)
    assert done.returncode == 1
    path = (
        "ftp.ensembl.org/pub/release-108/fasta/homo_sapiens/cds/Homo_sapiens.GRCh38.cds.all.fa.gz"
    )
    assert f"from https://{path}" in done.stdout
    assert f"to my-mirror/{path}" in done.stdout
    assert "Homo_sapiens.GRCh38.ncrna.fa.gz" in done.stdout
    assert f"`offline: true` is set in {tmp_path / 'overlay.yaml'}" in done.stdout
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("profile", ["default", "local-gpu", "slurm", "slurm-gres"])
def test_profiles_are_accepted(tmp_path, profile):
    snakemake(
        tmp_path, "--workflow-profile", str(ROOT / "profiles" / profile), "--dry-run", "--quiet"
    )


def test_every_rule_is_documented_by_its_file_and_message():
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        head = re.match(r'"""(.*?)"""', text, re.S)
        assert head and "REQUIRED INPUTS" in head[1] and "OUTPUTS" in head[1], path
        for rule in re.findall(r"^rule \w+:.*?(?=^rule |\Z)", text, re.S | re.M):
            if "script:" in rule:
                assert "message:" in rule and "log:" in rule and "conda:" in rule, rule[:60]
