"""What the targets of whole studies ask for, and what of it was lost; standard library only.

Snakemake makes a missing file anew only where the target itself asks for it. When the job of a rerun fails, its files
are deleted, while the tables that an earlier run made from them are still there; asked for those alone, it would find
nothing to be done, for ever.
"""

from pathlib import Path

from nucleotune.plan.run import METRICS, PREDICTIONS, READ_AS, Run

#: File -> a file made from it, as seen from its directory; `{tables}` is where the run's tables are.
MADE_FROM = {
    "examples.parquet": "*/*/predictions.parquet",
    "card.json": "*/*/predictions.parquet",
    "predictions.parquet": "../metrics.json",
    "metrics.json": "../../../../{tables}/{study}_*.tsv",
    "contributions.npz": "motifs.tsv",
}


def end_of(run: Run, study: str) -> list[str]:
    """What a study ends with: its tables, figures and page, and all that they are made from."""
    page = run.place(f"reports/{study}.html")
    return [*shown_products(run, study), *intermediates(run, study), page]


def shown_products(run: Run, study: str, *endings: str) -> list[str]:
    """Files of a study's tables and figures, of some kinds alone."""
    return [
        path
        for product in run.products[study]
        for ending, path in product.outputs(run.place).items()
        if product.shown and (not endings or ending in endings)
    ]


def intermediates(run: Run, study: str) -> list[str]:
    """Files of a study between its sources and its tables, where a file missing would go unnoticed: one a job.

    Not the model directories: predictions come from the same job, and who needs the space may delete a model.
    """
    trained = run.trained_runs(study)
    datasets = dict.fromkeys([*run.shown[study], *(path.split("/")[2] for path in trained)])
    of_attribution = (
        *("contributions.npz", "agreement.tsv", "summary.json", "patterns.h5"),
        *("motifs.tsv", "seqlets.tsv", "words.tsv", "order.tsv"),
    )
    files = [
        *(
            f"results/{study}/{dataset}/{file}"
            for dataset in datasets
            for file in ("examples.parquet", "card.json")
        ),
        *(
            path
            for dataset in datasets
            for name, path in run.source_paths(study, dataset).items()
            if name in READ_AS
        ),
        *run.relatives(study),
        *run.every(PREDICTIONS, study),
        *(f"{path}/predictions.parquet" for path in trained),
        *run.every(METRICS, study),
        *run.comparisons(study),
        *run.shared_runs(study),
        *run.checkpoint_paths(study).values(),
        *run.studies[study].facts(run),
        *(path for name in of_attribution for path in run.explained(study, name)),
        *run.studies[study].intermediates(run),
    ]
    return list(dict.fromkeys(files))


def lost(run: Run, study: str) -> list[str]:
    """Files that are missing though others that were made from them are there.

    Targets of whole studies ask for them. A table asked for by its own name stays as it was made from them.
    """
    missing = [path for path in map(Path, intermediates(run, study)) if not path.exists()]
    names = {"tables": run.place("tables"), "study": study}
    return [
        str(path)
        for path in missing
        if path.name in MADE_FROM and any(path.parent.glob(MADE_FROM[path.name].format(**names)))
    ]
