"""What kinds of label with a number, a class or several labels an example share: columns by name, judging tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nucleotune.contracts import (
    COMMON_COLUMNS,
    check_columns,
    check_ids_and_splits,
    check_sequences,
    in_order,
    names_of,
    not_run,
    read_examples,
    refuse,
)
from nucleotune.errors import InputError
from nucleotune.evaluation.cut_off import CHOSEN_BY, Columns, decide_anew
from nucleotune.evaluation.resampling import (
    WHOLE,
    Split,
    evaluate_splits,
    group_codes,
    judge,
    unmeasured,
)
from nucleotune.evaluation.unrelated import without_relatives
from nucleotune.frames import write_parquet

Paths = Mapping[int, str | Path]
Tables = Mapping[int, pd.DataFrame]
Read = Callable[..., pd.DataFrame]

#: Where a cut-off may be chosen.
THRESHOLDS = ("validation",)


class Judging(NamedTuple):
    """How predictions of one kind are judged.

    split_of   of a method's tables, a split and the source for messages: its Split
    titles     all metrics
    compared   metrics of comparison.tsv, the default main one first
    decisions  decisions of yes or no, by part
    mcnemar    whether examples are right or wrong as a whole
    states     of tables, what metrics.json says besides
    """

    split_of: Callable[[Tables, str, str], Split]
    titles: Mapping[str, str]
    compared: tuple[str, ...]
    decisions: Mapping[str, Columns] = {}
    mcnemar: bool = False
    states: Callable[[Tables], dict[str, Any]] = lambda tables: {}


def evaluate_kind(
    examples: str | Path,
    predictions: Paths,
    read: Read,
    judging_of: Callable[[Iterable[pd.DataFrame], str], Judging],
    *,
    bootstrap: Mapping[str, Any],
    source: str,
    relatives: str | Path | None = None,
    main_metric: str | None = None,
    threshold: str | None = None,
    chosen_by: str = "mcc",
) -> dict[str, Any]:
    """Content of metrics.json of one method; the reason alone if it did not run.

    `bootstrap` has `resamples`, `confidence` and `seed`; `main_metric` is by default the first of those that the kind
    compares. `threshold` "validation" takes cut-offs in place of the method's own decisions: chosen on the validation
    rows of each seed, by `chosen_by` ("mcc" or "f1"). Adds to `evaluate_splits` the `main_metric`, what
    the kind states and, where asked for, the `threshold`: {"chosen_on", "by", "cut_offs": {part: {seed: number or
    None}}}; and with `relatives`, their path, `without_relatives` (`evaluation.unrelated`).
    """
    reason = next(filter(None, map(not_run, predictions.values())), None)
    if reason:
        return unmeasured(reason)
    tables: Tables = {seed: read(path) for seed, path in predictions.items()}
    judging = judging_of(tables.values(), source)
    main = _main(judging, main_metric, source)
    stated: dict[str, Any] = {"main_metric": main}
    if _asked(threshold, chosen_by, judging, source):
        tables, cut_offs = decide_anew(tables, judging.decisions, chosen_by)
        stated["threshold"] = {"chosen_on": "valid", "by": chosen_by, "cut_offs": cut_offs}
    groups = _groups(examples)
    content = evaluate_splits(
        tables,
        lambda split: judging.split_of(tables, split, source),
        groups=groups,
        **bootstrap,
        source=source,
    )
    if relatives is not None:

        def of_rows(name: str, ids: set[str]) -> Mapping[str, Any]:
            kept = {seed: table[table["id"].isin(ids)] for seed, table in tables.items()}
            split = judging.split_of(kept, name, source)
            return judge(split, groups=group_codes(groups, split.ids, source), **bootstrap)[WHOLE]

        stated["without_relatives"] = without_relatives(
            relatives, content["splits"], next(iter(tables.values())), of_rows, source=source
        )
    return {**content, **stated, **judging.states(tables)}


def compare_kind(
    examples: str | Path,
    predictions: Mapping[str, Paths],
    read: Read,
    judging_of: Callable[[Iterable[pd.DataFrame], str], Judging],
    *,
    against: Iterable[str],
    bootstrap: Mapping[str, Any],
    main_metric: str | None = None,
    threshold: str | None = None,
    chosen_by: str = "mcc",
    pairs: Iterable[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Every method that ran against the best of the baselines `against`, on the same test rows.

    The best one is that of the main metric on the validation rows. `pairs`, (method, against), are compared as well:
    with and without pre-training. Further arguments are those of `evaluate_kind`: give both the same, so that what is
    compared is what metrics.json says.
    """
    from nucleotune.evaluation.paired import compare_splits  # scipy.stats takes a second

    tables: dict[str, dict[int, pd.DataFrame]] = {}
    for method, paths in predictions.items():
        for seed, path in paths.items():
            if not not_run(path):
                tables.setdefault(method, {})[seed] = read(path, splits=["valid", "test"])
    source = "predictions"
    judging = judging_of((one for each in tables.values() for one in each.values()), source)
    main = _main(judging, main_metric, source)
    if _asked(threshold, chosen_by, judging, source):
        tables = {
            method: decide_anew(each, judging.decisions, chosen_by)[0]
            for method, each in tables.items()
        }
    return compare_splits(
        tables,
        [method for method in tables if method in against],
        judging.split_of,
        metrics=tuple(dict.fromkeys((main, *judging.compared))),
        titles=judging.titles,
        decisions=judging.mcnemar,
        pairs=[(one, other) for one, other in pairs if one in tables and other in tables],
        groups=_groups(examples),
        **bootstrap,
    )


def names_in(
    tables: Iterable[pd.DataFrame], prefix: str, names: Sequence[str] | None, source: str
) -> list[str]:
    """Names behind `prefix` in the columns of all tables: those asked for, by default those of the first table.

    Raises InputError, beginning with `source`, when a table has others.
    """
    for table in tables:
        found = names_of(table, prefix)
        names = found if names is None else names
        if set(found) != set(names):
            raise InputError(
                f"{source}: columns {prefix}<name> of {', '.join(found) or 'no name'}; expected"
                f" {', '.join(names)}: repeat predictions made from older examples"
            )
    return list(names or [])


def check_named_examples(
    examples: pd.DataFrame, prefix: str, source: str | Path, what: str, legal: Callable[..., Any]
) -> pd.DataFrame:
    """Return examples with a column `prefix`<name> for every label or target if they keep the contract.

    `legal` takes the known values of a column, float64 (m,), and returns whether each is what the contract allows;
    `what` says it in words. Raises InputError naming `source`, the column and a record.
    """
    check_columns(examples, COMMON_COLUMNS, source)
    check_ids_and_splits(examples, source)
    check_sequences(examples, source)
    for column in named_columns(examples, prefix, source):
        check_values(examples, column, source, what, legal)
        if examples[column].isna().all():
            raise InputError(f"{source}: column {column!r} has no value; leave it out")
    return examples


def named_columns(table: pd.DataFrame, prefix: str, source: str | Path) -> list[str]:
    """Columns that begin with `prefix`; InputError, beginning with `source`, when there is none."""
    names = names_of(table, prefix)
    if not all(names) or not names:
        raise InputError(
            f"{source}: no column {prefix}<name>, or one without a name; found {', '.join(table.columns)}"
        )
    return [prefix + name for name in names]


def check_values(
    table: pd.DataFrame,
    column: str,
    source: str | Path,
    what: str,
    legal: Callable[..., Any],
    missing: bool = True,
) -> None:
    """Raise InputError naming `source`, the column and a record unless its values are `legal`, or `missing`."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(values) & table[column].isna().to_numpy()
    broken = ~legal(values) & ~(unknown if missing else False)
    refuse(
        source, table["id"], broken, f"{column} must be {what}{' or missing' if missing else ''}"
    )


def write_named(
    path: str | Path,
    table: pd.DataFrame,
    first: Sequence[str],
    kinds: Mapping[str, str],
    further: bool,
) -> None:
    """Write a checked table as Parquet, atomically: columns `first`, then those of `kinds`, {column: dtype}.

    `further` keeps the other columns. The same rows give the same bytes.
    """
    columns = [*first, *kinds]
    chosen = table[in_order(table, columns) if further else columns]
    # Whole numbers that may be missing come as floats, objects or what pandas takes for them.
    numbers = {column: pd.to_numeric(chosen[column]).astype(kind) for column, kind in kinds.items()}
    write_parquet(path, chosen.assign(**numbers))


def _main(judging: Judging, asked: str | None, source: str) -> str:
    main = judging.compared[0] if asked is None else asked
    if main not in judging.titles:
        raise InputError(
            f"{source}: main metric {main!r}; expected one of {', '.join(judging.titles)}"
        )
    return main


def _asked(threshold: str | None, chosen_by: str, judging: Judging, source: str) -> bool:
    """Whether cut-offs are to be chosen; InputError where they cannot be."""
    if threshold is None:
        return False
    if threshold not in THRESHOLDS or chosen_by not in CHOSEN_BY or not judging.decisions:
        raise InputError(
            f"{source}: threshold {threshold!r} by {chosen_by!r}: expected {' or '.join(THRESHOLDS)}, by"
            f" {' or '.join(CHOSEN_BY)}, and two classes or several labels"
        )
    return True


def _groups(examples: str | Path) -> pd.Series:
    return read_examples(examples, columns=["id", "group"]).set_index("id")["group"]
