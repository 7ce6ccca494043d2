"""What the tables and figures of a study are made from, for the targets that ask for all of it; no rules.

Snakemake makes a missing file anew only where the target itself asks for it. When the job of a rerun fails, its files
are deleted, while the tables that an earlier run made from them are still there; asked for those alone, it would find
nothing to be done, for ever.

REQUIRED INPUTS: the names of rules/common.smk, rules/training_inputs.smk and rules/attribution_inputs.smk
OUTPUTS: the functions below
"""


def intermediates(study):
    """Files of a study between its sources and its tables, where a file missing would go unnoticed: one a job.

    Not the model directories: predictions come from the same job, and who needs the space may delete a model.
    """
    runs = trained_runs(study)
    predictions = "results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet"
    datasets = dict.fromkeys([*SHOWN[study], *(run.split("/")[2] for run in runs)])
    files = [
        *(
            f"results/{study}/{dataset}/{file}"
            for dataset in datasets
            for file in ("examples.parquet", "card.json")
        ),
        *(path for dataset in datasets for path in read_forms(study, dataset)),
        *every(predictions, study),
        *(f"{run}/predictions.parquet" for run in runs),
        *every("results/{study}/{dataset}/{method}/metrics.json", study),
        *(of_run(f"{study}/{dataset}/comparison.tsv") for dataset in SHOWN[study]),
        *(
            f"results/shared-jobs/{study}.{method}.seed{seed}.job{job}"
            for job, members in SHARED[study].items()
            for method in LANGUAGE_MODELS
            if any(method in METHODS[study][dataset] for dataset in members)
            for seed in SETTINGS["seeds"]
        ),
        *(f"resources/checkpoints/{name}" for name in study_models(study) if name in CHECKPOINTS),
        *STUDIES[study].facts(PLANNED),
        *(
            path
            for name in ("contributions.npz", "agreement.tsv", "summary.json")
            + ("patterns.h5", "motifs.tsv", "seqlets.tsv", "words.tsv", "order.tsv")
            for path in PLANNED.explained(study, name)
        ),
        *STUDIES[study].intermediates(PLANNED),
    ]
    return list(dict.fromkeys(files))


def read_forms(study, dataset):
    """Genome and annotation that a data set is built from, as they were made of its files."""
    one = DATASETS[study][dataset]
    if one.pooled:
        return []
    pairs = [
        (path, read_form(one.owner, name, path))
        for name, (path, _) in DATA_FILES[study][dataset].items()
    ]
    return [made for path, made in pairs if made != path]


def note_lost_files():
    """Name files that are missing though others that were made from them are there.

    Targets of whole studies ask for them. A table asked for by its own name stays as it was made from them.
    """
    for study in DATASETS if workflow.is_main_process else ():
        lost = []
        for path in filter(lambda path: not Path(path).exists(), intermediates(study)):
            folder, name = Path(path).parent, Path(path).name
            made = {
                "examples.parquet": "*/*/predictions.parquet",
                "card.json": "*/*/predictions.parquet",
                "predictions.parquet": "../metrics.json",
                "metrics.json": f"../../../../{of_run('tables')}/{study}_*.tsv",
                "contributions.npz": "motifs.tsv",
            }.get(name)
            if made and any(folder.glob(made)):
                lost.append(path)
        if lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            logger.warning(
                f"{lost[0]}{more}: missing, though files made from it are there: `snakemake {study}` makes it again and"
                f" all that rests on it; a table asked for by its own name stays as it is"
            )
