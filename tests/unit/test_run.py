"""What a run consists of: its files, trainings and targets, asked of `Run` without Snakemake."""

import re

import pytest
from planned import jobs, run_of

from nucleotune.errors import InputError
from nucleotune.plan import pages, shared_jobs
from nucleotune.plan.targets import end_of, intermediates, lost, shown_products
from nucleotune.sources.mirror import describe_missing
from nucleotune.stages import ROOT
from nucleotune.studies.lncrna.plan import calibration_files, class_paths, pooled
from nucleotune.studies.polya.plan import searched
from nucleotune.studies.promoters.products import reading, same_genes

# Jobs


def test_demo():
    counts = jobs(run_of("demo"))
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
    assert counts["task_examples"] == 2
    # A first stage on the pool and the second; jobs shared by data sets; profile models; two tasks.
    assert counts["finetune"] == 2 + 3 + 2
    assert counts["take_finetuned"] == 4 + 1 + 2 * 3 and counts["finetune_shared"] == 2 + 2
    assert counts["baseline"] == 8 + 4 * 2 + 2 + 3 * 3 + 2 * 2
    assert counts["study_report"] == 5


def test_lncrna_alone():
    # Two splits of one species; eleven methods, two of them language models; one has a first stage on each pool.
    assert jobs(run_of("lncrna")) == {
        "simulate": 1,
        "download": 2,
        "lncrna_examples": 2,
        "lncrna_pool": 2,
        "finetune": 6,
        "baseline": 18,
        "evaluate": 22,
        "relatives": 2,
        "compare": 2,
        **{f"lncrna_table{number}": 1 for number in (1, 2, 3, 4, 6)},
        "lncrna_figure3": 1,
        "lncrna_figure4": 1,
        "study_report": 1,
        "overview": 1,
    }


def test_promoters_with_all_models():
    counts = jobs(run_of("promoters"))
    # Four tasks, Task 3 in two lengths; three language models and three others on each; on Task 2 three k-mer models
    # more, on Task 3 one baseline more, on its longer promoters two sides of truncation more; trainings of a method
    # share a job.
    assert counts["download"] == 7 + 6 * 3 and counts["simulate_model"] == counts["checkpoint"] == 6
    assert counts["finetune_shared"] == 3 + 3 + 2
    assert counts["take_finetuned"] == 5 * 3 + 3 + 2
    assert counts["baseline"] == 5 * 3 + 2
    assert counts["evaluate"] == 5 * 6 + 3 + 2 + 2 and counts["compare"] == 5
    assert counts["attention_profile"] == 1


def test_rbps_by_collection():
    counts = jobs(run_of("rbp"))
    # Three proteins in two collections: given sequences, and peaks of two cell lines each.
    assert counts["rbp_examples"] == 6
    assert counts["baseline"] == 6 * 6 and counts["take_finetuned"] == 6 * 2
    assert counts["rbp_structures"] == counts["rbp_regions"] == counts["rbp_attention"] == 6
    assert counts["annotation"] == counts["genome"] == 2
    assert counts["download"] == 4 + 2 * 3 + 3, "sequences, GTF, genome, chain; peaks; a model"


def test_paper_run():
    run = run_of("paper")
    counts = jobs(run)
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
    # Four networks of profiles.
    polya = 3 * 4
    assert counts["finetune"] + counts.get("take_finetuned", 0) == lncrna + promoters + polya
    assert counts["baseline"] == 2 * 2 * 3 * 9 + 3 * (datasets * 3 + 2 * 4)
    assert counts["lncrna_table5"] == counts["lncrna_figure5"] == 1, "the mouse has its own"
    assert len(searched(run)) == 3
    # Two files of seven releases and two species, which `fetch` does not ask for.
    assert len(calibration_files(run)) == 7 * 2 * 2 and len(run.downloads) == 35
    assert run.sources.keys() == {
        *run.downloads,
        *(path for path, _ in calibration_files(run).values()),
    }


def test_seeds_and_methods_fan_out():
    text = (
        "studies: [lncrna]\nseeds: [1, 2, 3]\nlncrna: {splits: [gene], methods: [cpc2, length]}\n"
    )
    counts = jobs(run_of(text))
    assert counts["baseline"] == 6 and counts["evaluate"] == 2
    assert "finetune" not in counts and "lncrna_pool" not in counts


def test_trainings_share_jobs():
    """Three data sets, two to a job: two jobs a method and seed; first stages on pools have their own."""
    run = run_of(
        "studies: [lncrna]\nseeds: [1, 2]\nlncrna: {per_job: 2, species: [human, mouse, toy], splits: [paper],"
        " methods: [lora-bert-tiny, length]}\n"
    )
    counts = jobs(run)
    assert counts["finetune_shared"] == 2 * 2 and counts["take_finetuned"] == 3 * 2
    assert counts["finetune"] == 2
    assert run.shared == {"lncrna": {"0": ["human_paper", "mouse_paper"], "1": ["toy_paper"]}}
    assert run.shared_runs("lncrna")[0] == ("results/shared-jobs/lncrna.lora-bert-tiny.seed1.job0")
    measured = pages.measured_jobs(run, "lncrna")
    assert "lncrna.lora-bert-tiny.seed2.job1" in measured["names"]
    assert "lncrna.toy_paper.lora-bert-tiny.seed1" in measured["shared"]
    first = "lncrna.pooled_paper.lora-bert-tiny-pretrain.seed1"
    assert first in measured["names"] and first not in measured["shared"]


def test_data_sets_of_other_kinds_or_names_share_no_job():
    text = (
        "studies: [task]\ntask: {tasks: [toy-classes, toy-labels, toy-numbers], learning_curve: [0.1, 0.5], per_job: 2,"
        " methods: [bert-baseline-tiny]}\n"
    )
    run = run_of(text)
    assert run.shared["task"] == {
        "0": ["toy-classes", "toy-classes_train10"],
        "1": ["toy-classes_train50"],
        "2": ["toy-labels", "toy-labels_train10"],
        "3": ["toy-labels_train50"],
        "4": ["toy-numbers", "toy-numbers_train10"],
        "5": ["toy-numbers_train50"],
    }
    for names in run.shared["task"].values():
        assert len({run.head("task", name) for name in names}) == 1
    assert run.head("task", "toy-labels") == ("labels", *run.labels("task", "toy-labels"))
    with pytest.raises(
        InputError,
        match=r"task\.attribution: 'bert-baseline-tiny' predicts 3 classes on .*'toy-classes'",
    ):
        run_of(text[:-2] + ", attribution: {methods: [bert-baseline-tiny]}}\n")
    asked = "attribution: {methods: [bert-baseline-tiny], datasets: [toy-numbers]}"
    with pytest.raises(InputError, match="predicts numbers on data set 'toy-numbers'; only models"):
        run_of(f"{text[:-2]}, {asked}}}\n")


def test_jobs_are_cut_within_what_must_be_the_same():
    heads = {"a": 1, "b": 2, "c": 1, "d": 1, "e": 2, "f": 1}
    assert shared_jobs("abcdef", 2, None, heads.get) == {
        "0": ["a", "c"],
        "1": ["d", "f"],
        "2": ["b", "e"],
    }
    # One left out changes its own job alone, whatever stands beside it.
    assert shared_jobs("bdef", 2, "abcdef", heads.get) == {"1": ["d", "f"], "2": ["b", "e"]}
    assert shared_jobs("abc", 1, None, heads.get) == {}


def test_only_first_stages_are_trained_on_pools(tmp_path):
    """Two language models: one of two stages, one that starts from nothing and never sees the pool."""
    methods = tmp_path / "methods/alone.yaml"
    methods.parent.mkdir()
    methods.write_text(
        "title: Alone\nkind: language_model\nmodel: lora-bert-tiny\n"
        "training: {epochs: 1, batch_size: 8, learning_rate: 1.0e-3}\n"
    )
    run = run_of(
        f"studies: [lncrna]\nplugins: [{tmp_path}]\n"
        "lncrna: {methods: [lora-bert-tiny, alone, gc], splits: [gene]}\n"
    )
    assert run.trained_runs("lncrna") == [
        f"results/lncrna/{name}/seed1"
        for name in (
            *("toy_gene/lora-bert-tiny", "pooled_gene/lora-bert-tiny-pretrain"),
            "toy_gene/alone",
        )
    ]
    assert jobs(run)["finetune"] == 3


@pytest.mark.parametrize(
    "study, method, datasets", [("rbp", "bert-rbp-tiny", 3), ("promoters", "dnabert-6-tiny", 7)]
)
def test_attribution_of_classifiers(study, method, datasets):
    """The same rules for the other studies: a model a data set, a table and a figure of all."""
    settings = f"{{methods: [{method}], max_sequences: 20, mutagenesis: 20}}"
    run = run_of(f"studies: [{study}]\n{study}: {{methods: [{method}], attribution: {settings}}}\n")
    counts = jobs(run)
    assert counts["attribute"] == counts["modisco"] == datasets
    made = ("motif_table", "motif_figure", "attribution")
    assert all(counts[f"{study}_{name}"] == 1 for name in made)


# Studies and their files


def test_a_table_asks_for_what_it_shows_and_no_more():
    run = run_of("demo")
    products = {one.name: one for some in run.products.values() for one in some}
    for name in ("lncrna_table1", "promoters_table3"):
        needs = products[name].needs
        assert set(needs) == {"cards", "published"}
        assert all(path.endswith("/card.json") for path in needs["cards"])


def own_species(folder, block):
    path = folder / "species/mine.yaml"
    path.parent.mkdir()
    path.write_text(f"title: Mine\n{block}\n")
    return (
        f"studies: [promoters]\nplugins: [{folder}]\ndata_dir: {folder}\n"
        "promoters: {species: [mine], tasks: [task1, task3]}\n"
    )


def test_source_that_a_task_lacks_is_named(tmp_path):
    ensembl = "{release: 110, species: danio_rerio, assembly: GRCz11}"
    text = own_species(tmp_path, f"ensembl: {ensembl}\npromoters: {{files: {{gue_train: a.csv}}}}")
    (tmp_path / "a.csv").write_text("sequence,label\n")
    with pytest.raises(InputError, match="task3 needs expression; say where .* leave task3 out of"):
        run_of(text)


def test_own_files_are_not_fetched(tmp_path):
    """One CSV is enough for Task 1; one length for Table 3, since all have the same genes."""
    names = {"genome": "g.fa", "annotation": "a.gff3", "expression": "e.gct", "gue_train": "t.csv"}
    for name in names.values():
        (tmp_path / name).write_text("sequence,label\n")
    files = ", ".join(f"{key}: {name}" for key, name in names.items())
    run = run_of(own_species(tmp_path, f"promoters: {{files: {{{files}}}}}"))
    assert run.downloads == {}
    (table3,) = [one for one in run.products["promoters"] if one.name == "promoters_table3"]
    (card,) = table3.needs["cards"]
    assert run.source_paths("promoters", card.split("/")[2]) == {
        "genome": "resources/genomes/mine.fa",
        "annotation": "resources/annotation/mine.parquet",
        "expression": str(tmp_path / "e.gct"),
    }
    csv = {"gue_train": str(tmp_path / "t.csv")}
    assert run.source_paths("promoters", "mine_task1_random") == csv
    assert pages.sources_of(run, "promoters")[0] == csv["gue_train"]


def test_own_collection(tmp_path):
    """FASTA of one's own: nothing is fetched; a missing file is named."""
    folder = tmp_path / "collections"
    folder.mkdir()
    (folder / "mine.yaml").write_text("title: Mine\nformat: fasta\nsheet: mine.tsv\n")
    (folder / "mine.tsv").write_text("rbp\tpositives\tnegatives\nPTBP1\tup.fa\tdown.fa\n")
    text = (
        f"studies: [rbp]\nplugins: [{tmp_path}]\ndata_dir: {tmp_path}\n"
        "rbp: {collections: [mine], methods: [rbp-tfidf, gc]}\n"
    )
    (tmp_path / "up.fa").touch()
    with pytest.raises(InputError, match=f"PTBP1: negatives: no file {tmp_path / 'down.fa'}"):
        run_of(text)
    (tmp_path / "down.fa").touch()
    counts = jobs(run_of(text))
    assert "download" not in counts and counts["rbp_examples"] == 1 and counts["baseline"] == 2


def test_a_study_that_is_not_named_takes_no_part():
    run = run_of("studies: [promoters]\npromoters: {tasks: [task4], methods: [gc]}\n")
    assert list(run.studies) == ["promoters"] and run.sources == run.downloads
    assert [path.rsplit(".", 2)[-2] for path in run.downloads] == ["fa", "gtf"]
    counts = jobs(run)
    assert counts["promoters_examples"] == counts["baseline"] == 1
    assert not any("lncrna" in rule for rule in counts)


def test_one_name_has_one_genome(tmp_path):
    (tmp_path / "species").mkdir()
    (tmp_path / "species/toy-eclip.yaml").write_text(
        (ROOT / "config/species/toy.yaml").read_text().replace("title: ", "title: Other ")
    )
    with pytest.raises(InputError, match="'toy-eclip' names two files for its genome: .* and "):
        run_of(
            f"studies: [promoters, rbp]\nplugins: [{tmp_path}]\n"
            "promoters: {species: [toy-eclip], methods: [gc]}\n"
            "rbp: {collections: [toy-eclip], methods: [gc]}\n"
        )


def test_files_of_transcripts_by_class():
    run = run_of("studies: [lncrna]\nlncrna: {species: [human, mouse], splits: [paper, gene]}\n")
    (path,) = class_paths(run, "mouse_gene", "lncRNA")
    assert path.endswith("Mus_musculus.GRCm39.ncrna.fa.gz")
    assert pooled(run, "pooled_gene", "card.json") == [
        "results/lncrna/human_gene/card.json",
        "results/lncrna/mouse_gene/card.json",
    ]


def test_what_methods_start_from_is_searched_for_relatives():
    two = "studies: [lncrna]\nlncrna: {species: [human, mouse], splits: [gene], methods: [%s]}\n"
    pool = "results/lncrna/pooled_gene/examples.parquet"
    assert run_of(two % "lora-bert, gc").pool("lncrna", "human_gene") == pool
    assert run_of(two % "gc").pool("lncrna", "human_gene") == []
    one = run_of("studies: [lncrna]\nlncrna: {species: [human], splits: [gene]}\n")
    assert one.pool("lncrna", "human_gene") == [], "a pool of one species has nothing else"


def test_simulated_files_have_their_mirror():
    run = run_of("demo")
    assert run.downloads.keys() <= run.simulated.keys() and run.lacking() == []
    kinds = {path.split("/")[1] for path in run.simulated.values()}
    assert kinds == {f"simulated{of}" for of in ("", "-collections", "-models", "-tasks")}


def test_what_an_offline_run_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"studies": ["lncrna"], "mirrors": ["my-mirror"], "lncrna": {"species": ["human"]}}
    assert run_of(settings, offline=False).lacking() == []
    run = run_of(settings, offline=True)
    assert [one.urls[0].rsplit("/", 1)[1] for one in run.lacking()] == [
        "Homo_sapiens.GRCh38.cds.all.fa.gz",
        "Homo_sapiens.GRCh38.ncrna.fa.gz",
    ]
    url = run.lacking()[0].urls[0]
    assert f"to my-mirror/{url.removeprefix('https://')}" in describe_missing(
        run.lacking(), run.config["mirrors"]
    )
    path = tmp_path / next(iter(run.downloads))
    path.parent.mkdir(parents=True)
    path.touch()
    assert len(run.lacking()) == 1


def test_methods_that_are_left_out_are_named():
    config = {"studies": ["polya"], "non_commercial": False}
    run = run_of("polya")
    barred = [
        n
        for n, one in run.methods.items()
        if one["model"] and run.models[one["model"]]["non_commercial"]
    ]
    notes = run_of("polya", **config).notes
    left_out = "is left out: its model's licence is non-commercial"
    assert [note for note in notes if left_out in note] == [
        f"method {name} {left_out}" for name in barred
    ]


def test_motifs_that_patterns_are_compared_with():
    run = run_of("demo")
    shipped = run.shipped_motifs("polya")
    assert shipped["path"] == "resources/motifs/polya.meme" and len(shipped["sha256"]) == 64
    assert run.known_motifs("polya") == [] and run.shipped_motifs("rbp") is None
    polya = {"attribution": {"motifs": "mine.meme"}}
    run = run_of({"studies": ["polya"], "data_dir": "data", "polya": polya})
    assert run.known_motifs("polya") == "data/mine.meme" and run.shipped_motifs("polya") is None


def test_structures_are_folded_for_those_that_read_them():
    run = run_of("studies: [rbp]\nrbp: {collections: [toy-eclip], methods: [ideeps, gc]}\n")
    dataset = run.shown["rbp"][0]
    assert run.structures("rbp", dataset, "gc") == []
    path = f"results/rbp/{dataset}/structures.parquet"
    assert run.structures("rbp", dataset, "ideeps") == path
    assert path in intermediates(run, "rbp")
    assert run.labels("rbp", dataset) == ["unbound", "bound"]


def test_tasks_that_share_genes():
    run = run_of("promoters")
    pairs = same_genes(run)
    sets = run.datasets["promoters"]
    assert list(pairs) == [name for name, one in sets.items() if one.task == "task4"]
    assert all(sets[other].task == "task3" for other in pairs.values())
    found = reading(run)
    assert found["task3"] == pairs and found["checkpoints"] == run.checkpoint_paths("promoters")
    assert found["methods"] == {
        name: {method: found["methods"][name][method] for method in run.assigned["promoters"][name]}
        for name in sets
    }
    read = {
        one["model"]
        for each in found["methods"].values()
        for one in each.values()
        if "model" in one
    }
    assert read == set(found["models"]) == set(run.models_of("promoters"))


def test_what_is_said_of_windows_counts_only_where_there_are_some():
    """So that trainings of before there were any are not made again."""
    run = run_of("task", task={"methods": ["dnabert-6-tiny", "dnabert-6-tiny-windows", "gc"]})
    keys = {"long", "window_overlap", "window_pooling"}
    assert not keys & set(run.computed("methods", "dnabert-6-tiny"))
    assert keys <= set(run.computed("methods", "dnabert-6-tiny-windows"))
    counts = jobs(run)
    assert counts["task_reading"] == 1 and "task_reading" not in jobs(run_of("task"))


def test_a_search_needs_a_space():
    """Nothing to search is a mistake, not a search that has ended; other targets ask for none."""
    run = run_of("studies: [polya]\n")
    assert end_of(run, "polya")
    with pytest.raises(InputError, match="polya.tune.space is empty.*training.learning_rate: {low"):
        searched(run)


def test_a_space_is_checked():
    text = "studies: [polya]\npolya: {tune: {space: {bpnet-tiny: {sizes.filters: [0, 8]}}}}\n"
    with pytest.raises(InputError, match="polya.tune.space.bpnet-tiny: sizes.filters: 0:"):
        run_of(text)


# Targets


def test_two_questions_in_one_directory():
    """`run_name` keeps what answers a question apart, and shares all that is computed for it."""
    first, second = run_of("demo"), run_of("demo", run_name="second")
    apart = "results/runs/second/"
    shown = re.compile(r"results/(tables|figures|reports|facts)/|.*/comparison.tsv")
    for study in first.studies:
        one, other = end_of(first, study), end_of(second, study)
        assert [path.replace(apart, "results/") for path in other] == one
        for path, again in zip(one, other, strict=True):
            assert again.startswith(apart) == bool(shown.match(path)), path
    assert second.place("report.html") == f"{apart}report.html"
    with pytest.raises(InputError, match="run_name"):
        run_of("demo", run_name="../elsewhere")


def test_products_of_a_kind():
    run = run_of("demo")
    tables = shown_products(run, "lncrna", "html")
    assert tables[0] == "results/tables/lncrna_table1.html"
    assert all(path.endswith(".html") for path in tables)
    assert set(tables) < set(shown_products(run, "lncrna")) < set(end_of(run, "lncrna"))
    assert not any("table5" in path for path in end_of(run, "lncrna")), "of the mouse"


def test_lost_files_are_those_that_others_were_made_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = run_of("studies: [lncrna]\nlncrna: {splits: [gene], methods: [gc, length]}\n")
    assert lost(run, "lncrna") == []
    folder = tmp_path / "results/lncrna/toy_gene"
    for path in intermediates(run, "lncrna"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert lost(run, "lncrna") == []
    (folder / "gc/metrics.json").unlink()
    assert lost(run, "lncrna") == [], "no table has been made of it"
    (tmp_path / "results/tables").mkdir()
    (tmp_path / "results/tables/lncrna_table3.tsv").touch()
    assert lost(run, "lncrna") == ["results/lncrna/toy_gene/gc/metrics.json"]
    (folder / "card.json").unlink()
    (folder / "length/seed1/predictions.parquet").unlink()
    assert lost(run, "lncrna") == [
        "results/lncrna/toy_gene/card.json",
        "results/lncrna/toy_gene/length/seed1/predictions.parquet",
        "results/lncrna/toy_gene/gc/metrics.json",
    ]


def test_a_page_is_told_of_its_study_alone():
    run = run_of("demo")
    part = pages.part_of(run, "polya")
    assert part["config"]["studies"] == ["polya"]
    assert {"lncrna", "promoters", "rbp"}.isdisjoint(part["config"])
    assert list(part["species"]) == ["toy-yeast"]
    assert list(part["methods"]) == run.config["polya"]["methods"]
    assert list(part["models"]) == run.models_of("polya") == list(run.checkpoint_paths("polya"))
    stages = pages.part_of(run, "lncrna")["methods"]
    assert "lora-bert-tiny-pretrain" in stages, "a first stage is part of the study"
