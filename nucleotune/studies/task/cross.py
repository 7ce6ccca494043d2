"""Models of one task on the test rows of others that have the same kind and names of labels."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import SCORE, not_run, read_examples, score_columns
from nucleotune.errors import InputError
from nucleotune.evaluation.resampling import unmeasured
from nucleotune.predict import predict
from nucleotune.sequence.shared import canonical
from nucleotune.sequence.similarity import relatives
from nucleotune.studies.leaks import TRAINING
from nucleotune.tasks import task_of

#: Parts of a task that its methods have seen.
SEEN = (*TRAINING, "valid")

Paths = Mapping[int, str | Path]


def cross_tests(
    examples: str | Path,
    predictions: Paths,
    models: Paths,
    others: Mapping[str, str | Path],
    *,
    kind: str,
    judged: Mapping[str, Any],
    related: Mapping[str, Any],
    bootstrap: Mapping[str, Any],
    threads: int = 1,
    device: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Metrics of one method on the test rows of other data sets, by data set.

    Args:
        examples: of the data set that the method was trained on.
        predictions: on it, by seed; a cut-off is chosen on its validation rows.
        models: directories of the trained models, by seed.
        others: examples of the other data sets, by name.
        kind: of the labels.
        judged: `names` of the labels, and further arguments of the kind's `evaluate`.
        related: which rows are left out, see `unseen_rows`.
        bootstrap: `resamples`, `confidence`, `seed`.
        threads: of predictions, and of the search for relatives.
        device: of predictions; None takes CUDA if there is one.

    Each value is what `evaluate` returns of part `test`, or `not_run` with the reason; and the counts of `unseen_rows`.
    """
    own = read_examples(examples)
    reason = next(filter(None, map(not_run, predictions.values())), None)
    found, given = {}, {"threads": threads, "device": device}
    for name, path in others.items():
        rows, counts = unseen_rows(own, read_examples(path), **related, threads=threads)
        if reason is None and rows.empty:
            content = unmeasured("all of its test rows have relatives in training")
        elif reason is None:
            rows = rows.assign(id=f"{name}:" + rows["id"])
            content = _judge(own, rows, predictions, models, kind, judged, bootstrap, **given)
        else:
            content = unmeasured(reason)
        found[name] = {**content, **counts}
    return found


def unseen_rows(
    own: pd.DataFrame,
    other: pd.DataFrame,
    *,
    identity: float,
    coverage: float,
    both_strands: bool,
    threads: int = 1,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Test rows of `other` without a relative among the rows of `own` that methods have seen (SEEN), and counts.

    A relative has an alignment of `identity` (0 to 1) that covers `coverage` of the test row. Counts: `test_rows`
    before, `left_out`, and how many of these are `identical` to a row seen.
    """
    rows = other[other["split"] == "test"]
    seen = own.loc[own["split"].isin(SEEN), "sequence"]
    found = relatives(
        rows["sequence"].tolist(),
        seen.tolist(),
        least=identity,
        coverage=coverage,
        both_strands=both_strands,
        threads=threads,
    )
    same = canonical(rows["sequence"], both_strands).isin(set(canonical(seen, both_strands)))
    known = found >= identity
    counts = {
        "test_rows": len(rows),
        "left_out": int(known.sum()),
        "identical": int(same.sum()),
    }
    return rows[~known].reset_index(drop=True), counts


def _judge(
    own: pd.DataFrame,
    rows: pd.DataFrame,
    predictions: Paths,
    models: Paths,
    kind: str,
    judged: Mapping[str, Any],
    bootstrap: Mapping[str, Any],
    *,
    threads: int,
    device: str | None,
) -> dict[str, Any]:
    """What the kind's `evaluate` says of `rows`, or why they cannot be predicted."""
    task, names = task_of(kind), judged["names"]
    records = list(zip(rows["id"], rows["sequence"], strict=True))
    truth = rows.drop(columns=["sequence", "group"])
    with tempfile.TemporaryDirectory(prefix="nucleotune-cross-") as folder:
        examples, paths = Path(folder, "examples.parquet"), {}
        both = pd.concat([own[own["split"] == "valid"], rows], ignore_index=True)
        both.to_parquet(examples)
        for seed, model in models.items():
            try:
                new = predict(model, records, threads=threads, device=device)
            except InputError as error:  # such as another length than the method takes
                return unmeasured(str(error))
            valid = task.read_predictions(predictions[seed], splits=["valid"])
            new = pd.concat([truth, as_numbers(new, kind, names).drop(columns="id")], axis=1)
            table = pd.concat([valid, new[list(valid)]], ignore_index=True)
            paths[seed] = Path(folder, f"{seed}.parquet")
            task.write_predictions(paths[seed], table)
        content = task.evaluate(
            examples, paths, bootstrap=bootstrap, source="cross tests", **judged
        )
    return {**content, "splits": {"test": content["splits"]["test"]}}


def as_numbers(predicted: pd.DataFrame, kind: str, names: list[str]) -> pd.DataFrame:
    """Predictions of new sequences with classes by number, as predictions of examples have them; others as they are."""
    if kind != "classes" or len(names) == 2:
        return predicted
    columns = dict(zip([SCORE + name for name in names], score_columns(len(names)), strict=True))
    numbers = {name: number for number, name in enumerate(names)}
    return predicted.rename(columns=columns).assign(
        predicted=predicted["predicted"].map(numbers).astype("int64")
    )
