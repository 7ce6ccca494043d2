"""Tables and figures of tasks of one's own; standard library only."""

from typing import Any

from nucleotune.plan import describe_methods
from nucleotune.plan.asked import asked_methods
from nucleotune.plan.run import Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.task.plan import described_tasks


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    return {
        "datasets": described_tasks(run.datasets["task"], run.tasks),
        "methods": describe_methods(asked_methods(run.config, ["task"]), run.methods),
        "pools": {},
    }


def products(run: Run) -> list[Product]:
    """What is found in explained models; comparisons and the page need no product."""
    return explained_products(run, "task", described(run))
