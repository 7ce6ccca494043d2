"""What a change of settings runs again: the data sets whose task reads the setting, and no more."""

from conftest import job_counts, snakemake

TASKS = ("task3-300", "task4")
BASE = {
    "tasks": "[task3, task4]",
    "lengths": "[300, 1000]",
    "methods": "[gc]",
}


def test_promoter_data_sets_run_again_only_for_what_they_read(tmp_path):
    targets = [
        path
        for task in TASKS
        for path in (
            f"results/promoters/toy_{task}_random/examples.parquet",
            f"results/promoters/toy_{task}_random/gc/seed1/predictions.parquet",
        )
    ]

    def run(*arguments, **changes):
        lines = [f"  {key}: {value}" for key, value in {**BASE, **changes}.items()]
        (tmp_path / "overlay.yaml").write_text(
            "\n".join(["studies: [promoters]", "promoters:", *lines])
        )
        overlay = ["--configfile", str(tmp_path / "overlay.yaml")]
        return snakemake(tmp_path, *targets, *overlay, *arguments).stdout

    def planned(**changes):
        output = run("--dry-run", "--quiet", "rules", **changes)
        if "Nothing to be done" in output:
            return {}
        return job_counts(output)

    run()
    assert planned() == {}
    # Another method, another task and length, and settings of other tasks.
    for changes in (
        {"methods": "[gc, dnabert-6-tiny, dinucleotide]"},
        {"truncation_methods": "[dnabert-6-tiny-left]", "expression_methods": "[biotype]"},
        {"tasks": "[task2, task3, task4]", "margin": 500},
        {"lengths": "[300, 500, 1000]"},
        {"shuffle": "mononucleotide", "per_job": 3},
    ):
        assert planned(**changes) == {}, changes
    # Settings of one task alone: its examples, and what is trained on them.
    for changes in ({"universe": "all"}, {"lengths": "[300, 2000]"}, {"n_per_class": 100}):
        assert planned(**changes) == {"promoters_examples": 1, "baseline": 1}, changes
    assert planned(seed=2) == {"promoters_examples": 2, "baseline": 2}
