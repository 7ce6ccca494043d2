"""What every job of a run is expected to cost: hours of GPUs and CPUs, bytes on disk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nucleotune.costs import (
    Cost,
    Costs,
    Job,
    Size,
    baseline_hours,
    data_size,
    model_weights,
    profile_hours,
    save_seconds,
    training_hours,
)
from nucleotune.files import read_json

#: Rules whose results are a trained model. Of trainings that share a job each is counted where its results go.
TRAINING = ("finetune", "take_finetuned")

#: Rule -> row of the table that says how long a job of it takes to start; of others the row of their name. Trainings
#: that share a job start up once, and each reads its model.
STARTS = {"finetune_shared": "finetune", "take_finetuned": "next"}

#: What a training says of its pace, by the kind of method: key of training.json -> row of the table, unit.
PACE = {"language_model": ("tokens_per_second", "training", "tokens/s")}
PACE["profile_model"] = ("examples_per_second", "profile", "examples/s")

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
        jobs = list(jobs)
        self._add_measured(jobs)
        self.jobs = [self._expect(job) for job in jobs]
        self.trainings = [one for one in self.jobs if one.job.rule in TRAINING]

    def state_bytes(self) -> float:
        """Most that one training keeps beside its outputs while it runs: weights, best weights, two moments, fp32."""
        models = {one.model: self.run["models"][one.model] for one in self.trainings if one.model}
        sizes = [model_weights(name, model, self.costs) for name, model in models.items()]
        return 16 * max(sizes, default=0)

    def _add_measured(self, jobs: Iterable[Job]) -> None:
        """Let the pace of trainings that are done here, on the device that is asked for, replace the table's."""
        for job in jobs:
            if job.rule not in TRAINING or job.pending:
                continue
            path = Path(job.path).with_name("training.json")
            method = self.run["methods"][path.parts[3]]
            key, what, unit = PACE[method["kind"]]
            if not (self.folder / path).is_file():
                continue
            done = read_json(self.folder / path)
            wanted = "cuda" if self._resources(method)["gpu"] else "cpu"
            if done["device"] == wanted and done[key] > 0:
                row = Cost(what, path.parts[3], done[key], unit, "measured", f"here: {path}")
                self.costs.rows[what, row.name] = row

    def _resources(self, method: Mapping[str, Any]) -> Mapping[str, Any]:
        return method.get("resources") or self.run["models"][method["model"]]["resources"]

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
        start = STARTS.get(job.rule, job.rule)
        found = Expected(job, hours=costs.value("start", start) / 3600)
        found.stored["logs, metrics, tables"] = costs.value("bytes", "job")
        if job.rule == "download":
            found.stored["downloads"] = self._download_bytes(job.path)
        elif job.rule == "checkpoint":
            model = parts[-1]
            weights = model_weights(model, self.run["models"][model], costs)
            found.stored["published models"] = 4 * weights
        elif job.rule == "finetune_shared":
            # Once for all of its trainings, which are counted where their results go.
            found.study, found.method = parts[2].split(".")[:2]
            method = self.run["methods"][found.method]
            resources = self._resources(method)
            found.gpus, found.threads = min(1, resources["gpu"]), resources["threads"]
            found.model = method["model"] or ""
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
                found.hours += profile_hours(found.method, method, size.rows, costs)
            else:
                found.hours += training_hours(found.method, method, model, size, costs)
            resources = self._resources(method)
            found.gpus, found.threads = resources["gpu"], resources["threads"]
            if model is not None:
                found.model = name
                weights = model_weights(name, model, costs)
                found.stored["trained models"] = 4 * weights
                found.hours += save_seconds(method, weights, found.hours, costs) / 3600
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
