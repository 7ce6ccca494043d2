"""What jobs cost in hours: the unit costs of `resources/costs.tsv`, and the arithmetic of a training.

A forward pass of s tokens through an encoder of L layers and h hidden units takes 2 P s + 4 L h s^2 floating point
operations: a multiply and an add for each of the P weights in its matrices, and attention. Training all weights takes
three times as many (Kaplan et al. 2020, section 2.1: 6 P a token); LoRA twice, since it forms no gradients of the
encoder's weights.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nucleotune.contracts import read_examples
from nucleotune.errors import InputError
from nucleotune.models.families import FAMILIES
from nucleotune.models.spec import as_read, has_windows
from nucleotune.sequence.token_windows import window_counts
from nucleotune.text import read_rows

COLUMNS = ("what", "name", "value", "unit", "source", "basis")

#: How sure a number is: seen on a machine, worked out, or printed in a paper.
SOURCES = ("measured", "estimated", "published")

#: Cost of training on an example, in forward passes.
PASSES = {"full": 3, "lora": 2, "frozen": 1, "probe": 1}

#: Nucleotides that a token stands for, and special tokens; `file` is DNABERT-2's, whose tokens hold about five.
TOKENS = {"kmer": (1, 2), "sixmer": (6, 1), "single": (1, 2), "file": (5, 2)}

#: Splits that a language model predicts after training.
PREDICTED = ("train", "valid", "test")


@dataclass(frozen=True)
class Cost:
    """One row of the table."""

    what: str
    name: str
    value: float
    unit: str
    source: str
    basis: str


class Costs:
    """The table; `used` holds the rows that were asked for, in order: what an estimate rests on."""

    def __init__(self, rows: Iterable[Cost]) -> None:
        """Index `rows` by what and name."""
        self.rows = {(row.what, row.name): row for row in rows}
        self.used: dict[tuple[str, str], Cost] = {}

    def find(self, what: str, *names: str) -> Cost | None:
        """The row of the first of `names` that has one; None where none has."""
        row = next((self.rows[what, n] for n in names if (what, n) in self.rows), None)
        if row is not None:
            self.used[row.what, row.name] = row
        return row

    def value(self, what: str, *names: str) -> float:
        """The value of the first of `names` that has a row, else that of the row `*`; InputError without one."""
        row = self.find(what, *names, "*")
        if row is None:
            raise InputError(
                f"table of costs: no row {what!r} for {' or '.join((*names, '*'))}; add one (docs/planning.md)"
            )
        return row.value


def read_costs(path: str | Path) -> Costs:
    """Read the table (`text.read_rows`); InputError names file, line and column of a fault."""
    rows: dict[tuple[str, str], Cost] = {}
    for where, row in read_rows(path, COLUMNS):
        try:
            value = float(row["value"])
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            raise InputError(
                f"{where}, column 'value': expected a number of 0 or more, found {row['value']!r}"
            )
        if row["source"] not in SOURCES:
            raise InputError(
                f"{where}, column 'source': expected one of {', '.join(SOURCES)}, found {row['source']!r}"
            )
        if not row["basis"]:
            raise InputError(
                f"{where}, column 'basis': say where the number comes from (machine, formula or table)"
            )
        if (row["what"], row["name"]) in rows:
            raise InputError(f"{where}: {row['what']} {row['name']!r} occurs more than once")
        rows[row["what"], row["name"]] = Cost(**{**row, "value": value})
    return Costs(rows.values())


class Job(NamedTuple):
    """A job of the DAG: its rule, its first output, and whether it is still to run."""

    rule: str
    path: str
    pending: bool


def read_jobs(summary: str, outputs: Mapping[str, int]) -> list[Job]:
    """Jobs in the output of `snakemake --summary`, which has one row an output file, a job's rows together.

    outputs: rule -> number of its outputs. Rules without outputs (targets) are not in it.
    """
    jobs, rows = [], iter(summary.rstrip("\n").split("\n"))
    header = next((row.split("\t") for row in rows if row.startswith("output_file\t")), None)
    if header is None:
        raise InputError(f"`snakemake --summary` printed no table:\n{summary[-2000:]}")
    path, rule, state = (header.index(column) for column in ("output_file", "rule", "plan"))
    for row in rows:
        fields = row.split("\t")
        jobs.append(Job(fields[rule], fields[path], fields[state] == "update pending"))
        for _ in range(outputs[fields[rule]] - 1):
            next(rows)
    return jobs


@dataclass(frozen=True)
class Size:
    """A data set: examples by split, lengths (nt) of all of them or their mean alone, and how that is known.

    known: `counted` (the examples are there), `expected` (the table has them) or `unknown`.
    """

    rows: Mapping[str, float]
    lengths: np.ndarray
    known: str

    @property
    def total(self) -> float:
        """Examples of all splits."""
        return sum(self.rows.values())


def data_size(
    path: Path, species: Sequence[str], fractions: Mapping[str, float], costs: Costs
) -> Size:
    """Size of the data set `path` (examples.parquet): counted where the file is there, else that of its `species`."""
    if path.is_file():
        examples = read_examples(path, columns=["split", "sequence"])
        counts = examples["split"].value_counts()
        lengths = examples["sequence"].str.len().to_numpy()
        return Size({str(split): float(n) for split, n in counts.items()}, lengths, "counted")
    known = all(("examples", name) in costs.rows for name in species)
    counts = np.array([costs.value("examples", name) for name in species])
    means = np.array([costs.value("length", name) for name in species])
    return Size(
        {split: share * counts.sum() for split, share in fractions.items()},
        np.array([np.average(means, weights=counts)]),
        "expected" if known else "unknown",
    )


def token_counts(lengths: np.ndarray, model: Mapping[str, Any]) -> np.ndarray:
    """Tokens (n,), special ones included, of sequences of `lengths` nt (n,); for `sixmer` and `file` about as many."""
    return np.minimum(_all_tokens(lengths, model), model["max_tokens"])


def windows_of(
    lengths: np.ndarray, model: Mapping[str, Any], method: Mapping[str, Any]
) -> np.ndarray:
    """Windows (n,) in which a method reads sequences of `lengths` nt (n,); 1 where it cuts them."""
    if not has_windows(method):
        return np.ones(len(lengths))
    special = TOKENS[model["tokenizer"]["kind"]][1]
    contents = (_all_tokens(lengths, model) - special).astype(np.int64)
    return window_counts(contents, model["max_tokens"] - special, method["window_overlap"])


def _all_tokens(lengths: np.ndarray, model: Mapping[str, Any]) -> np.ndarray:
    tokenizer = model["tokenizer"]
    step, special = TOKENS[tokenizer["kind"]]
    if tokenizer["kind"] == "kmer":
        special += 1 - tokenizer["k"] + (tokenizer.get("species") is not None)
    return np.ceil(lengths / step) + special


def matrix_weights(model: Mapping[str, Any]) -> float:
    """Weights P in the matrices of the encoder, embeddings left out: attention and feed-forward of all layers."""
    sizes = model["architecture"]
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    feed_forward = 3 if FAMILIES[model["family"]].gated else 2
    return sizes["num_hidden_layers"] * (4 * hidden**2 + feed_forward * hidden * inner)


def model_weights(name: str, model: Mapping[str, Any], costs: Costs) -> float:
    """All parameters of a model: as its file says, else from its architecture, else from the table."""
    if model["parameters"]:
        return model["parameters"]
    sizes = model["architecture"]
    if sizes is None:
        return costs.value("parameters", name)
    rows = sizes["vocab_size"] + (sizes.get("max_position_embeddings") or 0)
    return matrix_weights(model) + rows * sizes["hidden_size"]


def forward_flop(
    name: str,
    model: Mapping[str, Any],
    lengths: np.ndarray,
    costs: Costs,
    method: Mapping[str, Any] | None = None,
) -> float:
    """Floating point operations of a forward pass of the mean example, see this module's docstring.

    Where the architecture is the checkpoint's, and so not known yet, all parameters count and attention does not. Of a
    `method` that reads windows all are counted, each as long as the example or the model's input.
    """
    tokens, windows = token_counts(lengths, model), windows_of(lengths, model, method or {})
    if model["architecture"] is None:
        return 2 * model_weights(name, model, costs) * float((windows * tokens).mean())
    sizes = model["architecture"]
    attention = 4 * sizes["num_hidden_layers"] * sizes["hidden_size"] * (windows * tokens**2).mean()
    return float(2 * matrix_weights(model) * (windows * tokens).mean() + attention)


def training_examples(method: Mapping[str, Any], rows: Mapping[str, float]) -> tuple[float, float]:
    """Examples that a training learns from, and those it only looks at (validation, predictions at the end).

    All epochs are counted, up to `max_steps`; early stopping may end sooner. A probe looks at each example once.
    """
    predicted = sum(rows.get(split, 0) for split in PREDICTED)
    if method["adaptation"] == "probe":
        return 0, predicted
    training = method["training"]
    n = sum(rows.get(split, 0) for split in method["train_splits"])
    steps_per_epoch = max(1, math.ceil(n / training["batch_size"]))
    steps = training["epochs"] * steps_per_epoch
    if training["max_steps"] is not None:
        steps = min(steps, training["max_steps"])
    trained = min(training["epochs"] * n, steps * training["batch_size"])
    evaluations = math.ceil(steps * training["evaluations_per_epoch"] / steps_per_epoch)
    return trained, evaluations * rows.get("valid", 0) + predicted


def training_hours(
    name: str, method: Mapping[str, Any], model: Mapping[str, Any], size: Size, costs: Costs
) -> float:
    """Hours of one training of the method `name` on the GPUs, or else the threads, that its model asks for.

    Starting up and saving are not among them.
    """
    model = as_read(model, method)
    passes = PASSES[method["adaptation"]]
    trained, seen = training_examples(method, size.rows)
    forward_passes = passes * trained + seen
    measured = costs.find("training", name, method["model"])
    if measured is not None:
        windows = windows_of(size.lengths, model, method)
        tokens = float((windows * token_counts(size.lengths, model)).mean())
        return forward_passes / passes * tokens / measured.value / 3600
    flop = forward_passes * forward_flop(method["model"], model, size.lengths, costs, method)
    resources = model["resources"]
    if resources["gpu"]:
        speed = resources["gpu"] * costs.value("gpu", "peak") * costs.value("gpu", "share")
    else:
        speed = resources["threads"] * costs.value("cpu", "thread")
    return flop / speed / 3600


def save_seconds(method: Mapping[str, Any], weights: float, hours: float, costs: Costs) -> float:
    """Seconds in which a training of so many hours writes its states and its model.

    A state holds of every trained weight four numbers of 4 bytes, the last one only the best; with `lora` and `frozen`
    few weights are trained, and only the model counts.
    """
    numbers = 1.0
    if method["adaptation"] == "full":
        numbers += 4 * (hours * 60 // method["training"]["save_minutes"]) + 1
    return 4 * numbers * weights / costs.value("save", "state")


def profile_hours(
    name: str, method: Mapping[str, Any], rows: Mapping[str, float], costs: Costs
) -> float:
    """Hours of one training of a model of profiles: all epochs up to `max_steps`; early stopping may end sooner.

    Starting up and saving are not among them.
    """
    seconds = 0.0
    if method["network"] != "average":
        training, train = method["training"], rows.get("train", 0)
        epochs = training["epochs"]
        if train and training.get("max_steps"):
            epochs = min(epochs, training["max_steps"] * training["batch_size"] / train)
        shown = epochs * (train + 0.3 * rows.get("valid", 0))
        seconds += shown / costs.value("profile", name)
    return seconds / 3600


def baseline_hours(method: Mapping[str, Any], rows: Mapping[str, float], costs: Costs) -> float:
    """Hours of one classical method on one thread; a support vector machine's grow with the square of its rows."""
    name = method["baseline"]
    seconds = costs.value("start", "baseline")
    thousands = sum(rows.values()) / 1000
    per_thousand = costs.value("baseline", name)
    if name == "tfidf":
        thousands *= len(method["tfidf"]["ngram_ranges"])
    seconds += per_thousand * thousands
    fit = costs.find("svm", name)
    if fit is not None:
        svm = method["svm"]
        points = len(svm["c_grid"]) * len(svm["gamma_grid"])
        fits = points * svm["folds"] + 1 if points > 1 else 1
        n = min(sum(rows.get(split, 0) for split in method["train_splits"]), svm["max_train"])
        seconds += fits * fit.value * (n / 10_000) ** 2
    return seconds / 3600
