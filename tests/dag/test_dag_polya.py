"""What would run of searches for hyper-parameters and of attribution; nothing is executed."""

from conftest import ROOT, job_counts, snakemake

DRY = ("--dry-run", "--quiet", "rules")


def overlay(folder, text):
    path = folder / "overlay.yaml"
    path.write_text(text)
    return ["--configfile", str(path)]


def test_a_search_needs_a_space(tmp_path):
    """Nothing to search is a mistake, not a search that has ended."""
    given = overlay(tmp_path, "studies: [polya]\n")
    done = snakemake(tmp_path, "tune", *given, *DRY, check=False)
    assert done.returncode == 1
    assert "polya.tune.space is empty" in done.stdout
    assert "training.learning_rate: {low:" in done.stdout
    snakemake(tmp_path, *given, *DRY)  # other targets ask for none


def test_a_space_is_checked_before_any_job(tmp_path):
    text = "studies: [polya]\npolya: {tune: {space: {bpnet-tiny: {sizes.filters: [0, 8]}}}}\n"
    done = snakemake(tmp_path, "tune", *overlay(tmp_path, text), *DRY, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "polya.tune.space.bpnet-tiny: sizes.filters: 0:" in done.stdout


def test_searches_of_the_paper(tmp_path):
    arguments = ("tune", "--configfile", str(ROOT / "config/paper.yaml"), *DRY)
    assert job_counts(snakemake(tmp_path, *arguments).stdout)["tune_profile"] == 3


def test_attribution_of_classifiers(tmp_path):
    """The same rules for the other studies: a model a data set, a table and a figure of all."""
    analysis = "methods: [{method}], max_sequences: 20, mutagenesis: 20"
    for study, method, datasets in (
        ("rbp", "bert-rbp-tiny", 3),
        ("promoters", "dnabert-6-tiny", 7),
    ):
        settings = analysis.format(method=method)
        block = f"{{methods: [{method}], attribution: {{{settings}}}}}"
        given = overlay(tmp_path, f"studies: [{study}]\n{study}: {block}\n")
        counts = job_counts(snakemake(tmp_path, *given, *DRY).stdout)
        assert counts["attribute"] == counts["modisco"] == datasets
        made = ("motif_table", "motif_figure", "attribution")
        assert all(counts[f"{study}_{name}"] == 1 for name in made)
