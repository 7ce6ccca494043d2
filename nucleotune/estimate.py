"""What every job of a run is expected to cost: hours of GPUs and CPUs, bytes on disk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nucleotune.costs import (
    Costs,
    Job,
    Size,
    baseline_hours,
    data_size,
    model_weights,
    profile_hours,
    training_hours,
)

#: Rules whose results are a trained model. Of trainings that share a job each is counted where its results go.
TRAINING = ("finetune", "take_finetuned")

#: Of a study whose split is not by shares.
SHARES = {"train": 0.85, "valid": 0.05, "test": 0.1}


@dataclass
class Expected:
    """A job with its cost: elapsed hours, hours of GPUs and CPUs, bytes by kind of storage."""

    job: Job
    study: str = ""
    dataset: str = ""
    method: str = ""
    model: str = ""
    hours: float = 0.0
    gpus: int = 0
    threads: int = 1
    stored: dict[str, float] = field(default_factory=dict)

    @property
    def gpu_hours(self) -> float:
        """GPUs x hours."""
        return self.gpus * self.hours

    @property
    def cpu_hours(self) -> float:
        """Threads x hours: what is allocated, whether used or not."""
        return self.threads * self.hours


class Estimate:
    """What every job of a run will cost.

    jobs: all jobs of the DAG. run: the validated configuration (`methods`, `models`, `config`). datasets: study ->
    data set -> names of its species. weights: path of a published model's weights -> its model. folder: the working
    directory; what is there already is measured rather than looked up.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        run: Mapping[str, Any],
        datasets: Mapping[str, Mapping[str, Sequence[str]]],
        weights: Mapping[str, str],
        costs: Costs,
        folder: Path,
    ) -> None:
        """Work out the cost of all `jobs`."""
        self.run, self.datasets, self.weights = run, datasets, weights
        self.costs, self.folder = costs, folder
        self.sizes: dict[tuple[str, str], Size] = {}
        self.jobs = [self._expect(job) for job in jobs]
        self.trainings = [one for one in self.jobs if one.job.rule in TRAINING]

    def state_bytes(self) -> float:
        """Most that one training keeps beside its outputs while it runs: weights, best weights, two moments, fp32."""
        models = {one.model: self.run["models"][one.model] for one in self.trainings if one.model}
        sizes = [model_weights(name, model, self.costs) for name, model in models.items()]
        return 16 * max(sizes, default=0)

    def _size(self, study: str, dataset: str) -> Size:
        if (study, dataset) not in self.sizes:
            self.sizes[study, dataset] = data_size(
                self.folder / f"results/{study}/{dataset}/examples.parquet",
                self.datasets[study][dataset],
                self.run["config"][study].get("fractions", SHARES),
                self.costs,
            )
        return self.sizes[study, dataset]

    def _expect(self, job: Job) -> Expected:
        parts, costs = job.path.split("/"), self.costs
        found = Expected(job, hours=costs.value("start", job.rule) / 3600)
        found.stored["logs, metrics, tables"] = costs.value("bytes", "job")
        if job.rule == "download":
            found.stored["downloads"] = self._download_bytes(job.path)
        elif job.rule == "checkpoint":
            model = parts[-1]
            weights = model_weights(model, self.run["models"][model], costs)
            found.stored["published models"] = 4 * weights
        elif parts[0] == "results" and parts[1] in self.datasets:
            found.study, found.dataset = parts[1:3]
            self._expect_on_examples(found, parts)
        return found

    def _expect_on_examples(self, found: Expected, parts: Sequence[str]) -> None:
        size, costs, rule = self._size(found.study, found.dataset), self.costs, found.job.rule
        if rule in (*TRAINING, "baseline"):
            found.method = parts[3]
            method = self.run["methods"][found.method]
            # A baseline predicts valid and test, a language model also its training rows: neither is much.
            found.stored["predictions"] = size.total * costs.value("bytes", "prediction")
        if rule in TRAINING:
            name, model = method["model"], self.run["models"].get(method["model"])
            if method["kind"] == "profile_model":
                found.hours = profile_hours(found.method, method, size.rows, costs)
            else:
                found.hours = training_hours(found.method, method, model, size, costs)
            resources = method.get("resources") or model["resources"]
            found.gpus, found.threads = resources["gpu"], resources["threads"]
            if model is not None:
                found.model = name
                found.stored["trained models"] = 4 * model_weights(name, model, costs)
        elif rule == "baseline":
            found.hours = baseline_hours(method, size.rows, costs)
        else:
            rate = costs.find("rows", rule)
            found.hours += rate.value * size.total / 1000 / 3600 if rate else 0.0
        if parts[-1] == "examples.parquet":
            letters = size.total * float(size.lengths.mean())
            found.stored["examples"] = letters * costs.value("bytes", "nucleotide")

    def _download_bytes(self, path: str) -> float:
        if (self.folder / path).is_file():
            return (self.folder / path).stat().st_size
        if path in self.weights:
            model = self.weights[path]
            parts = sum(name == model for name in self.weights.values())
            return 4 * model_weights(model, self.run["models"][model], self.costs) / parts
        return self.costs.value("download", path.rsplit("/", 1)[-1])
