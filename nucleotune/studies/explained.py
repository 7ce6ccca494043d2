"""Tables and figures of explained models, which every study may have; standard library only."""

from nucleotune.plan.run import Run
from nucleotune.studies.base import Product

_WRITE = "nucleotune.reporting.write_explained"


def explained_products(
    run: Run, study: str, described: dict, *, logos: bool = True, positions: bool = False
) -> list[Product]:
    """How far explanations can be trusted, and motifs, as a table and as logos; none where no model is explained.

    logos: False where the study draws its motifs itself.
    positions: whether the study also shows contributions by position.
    """
    if not run.attributed[study]:
        return []
    arguments = {"study": study, "described": described}
    products = [
        Product(
            f"{study}_attribution",
            f"Table of how far the explanations of study {study} can be trusted",
            f"{_WRITE}:attribution_table",
            {"summaries": run.explained(study, "summary.json")},
            arguments,
        ),
        Product(
            f"{study}_motif_table",
            f"Table of the motifs of study {study}",
            f"{_WRITE}:motif_table",
            {"motifs": run.explained(study, "motifs.tsv")},
            arguments,
            file=f"{study}_motifs",
        ),
    ]
    if logos:
        products.append(
            Product(
                f"{study}_motif_figure",
                f"Logos of the motifs of study {study}",
                f"{_WRITE}:logos",
                {
                    name.partition(".")[0]: run.explained(study, name)
                    for name in ("contributions.npz", "patterns.h5", "motifs.tsv")
                },
                arguments,
                kind="figure",
                file=f"{study}_motifs",
            )
        )
    if positions:
        products.append(
            Product(
                f"{study}_contributions",
                f"Mean contributions by position of study {study}",
                f"{_WRITE}:contributions",
                {"contributions": run.explained(study, "contributions.npz")},
                arguments,
                kind="figure",
            )
        )
    return products
