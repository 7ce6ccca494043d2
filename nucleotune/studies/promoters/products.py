"""Tables 1-4 of the promoter paper, Table 1 by truncation side, and Figure 2; standard library only."""

from typing import Any

from nucleotune.models.spec import has_windows
from nucleotune.plan.asked import asked_methods
from nucleotune.plan.reading import readers
from nucleotune.plan.run import METRICS, Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.promoters.plan import LABELS, described_promoter_methods
from nucleotune.studies.promoters.protocol import described_expression, described_promoters

_WRITE = "nucleotune.studies.promoters.write"


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    names = asked_methods(run.config, ["promoters"])
    return {
        "datasets": described_promoters(
            run.datasets["promoters"], run.species, run.config["promoters"]
        ),
        "methods": described_promoter_methods(names, run.methods, run.models),
        "pools": {},
    }


def facts(run: Run) -> list[str]:
    """What models read of the sequences, and which genes tasks share: further facts of the data cards."""
    return [run.place("facts/promoters.json")]


def intermediates(run: Run) -> list[str]:
    """Attention that Figure 2 is drawn from."""
    return _of_attention(run, "attention.tsv")


def datasets_of_task(run: Run, task: str) -> list[str]:
    """Data sets of one task."""
    return [name for name, one in run.datasets["promoters"].items() if one.task == task]


def attention_runs(run: Run) -> list[tuple[str, str]]:
    """Trainings whose attention Figure 2 shows: (data set, method), k-mer models on Task 3 with promoters of 300 nt.

    A method that reads windows has no attention along the whole promoter.
    """
    return [
        (name, method)
        for name, one in run.datasets["promoters"].items()
        if one.task == "task3" and one.length == 300
        for method in run.config["promoters"]["methods"]
        if method in run.language_models
        and not has_windows(run.methods[method])
        and run.models[run.methods[method]["model"]]["tokenizer"]["kind"] == "kmer"
    ]


def reading(run: Run) -> dict[str, Any]:
    """Parameters of rule `promoters_reading`: what methods read of the promoters depends on these."""
    return {
        **readers(run, "promoters", run.datasets["promoters"]),
        "downstream": run.config["promoters"]["downstream"],
        "task3": same_genes(run),
    }


def same_genes(run: Run) -> dict[str, str]:
    """Data set of Task 4 -> one of Task 3 with the same species, whose genes are the same at all lengths and splits."""
    datasets, found = run.datasets["promoters"], {}
    for name in datasets_of_task(run, "task3"):
        found.setdefault(datasets[name].species, name)
    return {
        name: found[datasets[name].species]
        for name in datasets_of_task(run, "task4")
        if datasets[name].species in found
    }


def products(run: Run) -> list[Product]:
    """Tables and figures of the study; those of a task that the run does not have would be empty."""
    asked, settings = described(run), run.config["promoters"]
    datasets, methods = asked["datasets"], asked["methods"]
    by_side = [one for one in methods if one["name"] in settings["truncation_methods"]]
    # Methods of Tables 1 and 2: all but those that one table alone asks for.
    common = [
        one
        for one in methods
        if one["name"] in [*settings["methods"], *settings["expression_methods"]]
    ]
    kmer = [one for one in methods if one["kmer"] and one not in by_side]
    # Table 1 again, of the models that read k-mers: those whose input is short.
    cut = [
        one for one in methods if one["name"] in settings["methods"] and one["truncation"]
    ] + by_side
    task2, task3 = datasets_of_task(run, "task2"), datasets_of_task(run, "task3")
    of_300 = [one["name"] for one in datasets if one["length"] == 300]
    expression = described_expression(run.datasets["promoters"], run.species, settings)

    def measured(rows: list, names: list) -> dict[str, Any]:
        return {
            "metrics": run.every(METRICS, "promoters", [one["name"] for one in rows], names),
            "cards": run.cards("promoters", names),
            "published": run.published("promoters"),
        }

    def table(name: str, title: str, make: str, rows: list, names: list, **more: Any) -> Product:
        arguments = {"datasets": datasets, "methods": rows}
        needs = measured(rows, names) | more.pop("needs", {})
        return Product(f"promoters_{name}", title, f"{_WRITE}:{make}", needs, arguments, **more)

    return [
        table(
            "table1",
            "Table 1: high or low expression, by promoter length",
            "table1",
            common,
            task3,
            shown=bool(task3),
        ),
        table("table2", "Table 2: four tasks", "table2", common, of_300),
        Product(
            "promoters_table3",
            "Table 3: expression of protein-coding and lncRNA genes",
            f"{_WRITE}:table3",
            {
                "cards": run.cards("promoters", [one["name"] for one in expression]),
                "published": run.published("promoters_expression"),
            },
            {"datasets": expression},
            shown=bool(task3),
        ),
        table(
            "table4",
            "Table 4: DNABERT by k-mer size",
            "table4",
            kmer,
            task2,
            shown=bool(task2 and kmer),
        ),
        table(
            "truncation",
            "Table 1 by truncation side",
            "truncation",
            cut,
            task3,
            needs={"reading": run.place("facts/promoters.json")},
            shown=bool(task3 and cut),
        ),
        *_attention(run),
        *explained_products(run, "promoters", asked),
    ]


def _attention(run: Run) -> list[Product]:
    """Figure 2, and how peaked what it shows is."""
    titles = [
        f"{run.methods[method]['title']}, {run.datasets['promoters'][dataset].species[0]}, "
        f"{run.datasets['promoters'][dataset].split} split"
        for dataset, method in attention_runs(run)
    ]
    arguments = {"titles": titles, "labels": list(LABELS["task3"])}
    return [
        Product(
            "promoters_figure2",
            "Figure 2: attention along the promoters",
            f"{_WRITE}:figure2",
            {"attention": _of_attention(run, "attention.tsv")},
            arguments,
            kind="figure",
            shown=bool(titles),
        ),
        Product(
            "promoters_controls",
            "How peaked the attention of Figure 2 and its controls is",
            f"{_WRITE}:controls",
            {"peaks": _of_attention(run, "attention_peaks.tsv")},
            arguments,
            shown=bool(titles),
        ),
    ]


def _of_attention(run: Run, file: str) -> list[str]:
    return run.first_seed(file, "promoters", attention_runs(run))
