"""Training, validation and test rows: as they come, at random, or by whole groups, chromosomes or clusters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import SPLITS
from nucleotune.errors import InputError
from nucleotune.genome.contigs import names_in_genome
from nucleotune.genome.loci import overlap_clusters
from nucleotune.groups import join_groups, named_after_first
from nucleotune.sequence.similarity import clusters
from nucleotune.studies.splits import split_groups
from nucleotune.studies.task.labels import label_names

PARTS = ("train", "valid", "test")
#: Numbers are stratified by so many quantiles; combinations of labels with fewer rows are one stratum.
_QUANTILES, _RARE = 10, 10


def split_task(
    table: pd.DataFrame,
    task: Mapping[str, Any],
    *,
    source: str,
    threads: int = 1,
    memory_gb: float = 2,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Rows with the `split` and `group` of each, and what was found on the way.

    table: of `clean.clean`; rows of further test sets keep their part. `group` comes back as the user's own, else the
    cluster, else the row's id; `grouped` says where it is known. Counts: `split` (`by`, `seed`; of groups and clusters
    their number, the rows of the largest, and the rows of `always_training`, those too large for another part) and
    `grouped_by` (group or cluster), `groups_known` (rows). Raises InputError where a part would stay empty.
    """
    by, seed = task["split"]["by"], task["split"]["seed"]
    counts: dict[str, Any] = {"split": {"by": by, "seed": seed}}
    own = table["split"].isin(["", *PARTS])
    named = table["group"] != ""
    counts["grouped_by"] = "group"
    counts["groups_known"] = int(named.sum())
    rows = table[own]
    shares = task["split"]["shares"]
    # Equal sequences, where they are kept, stay in one part.
    alone = join_groups(rows["id"], rows["sequence"])
    try:
        if by == "given":
            parts = _given(rows, task)
        elif by == "random":
            parts = split_groups(strata(rows, task), _series(alone, rows), shares, seed)
        elif by == "group":
            groups = join_groups(rows["group"].where(named[own]), rows["id"], rows["sequence"])
            parts, large = _whole(rows, groups, task)
            counts["split"] |= large
        elif by == "chromosome":
            parts = _chromosomes(rows, task, counts)
        else:
            found = clusters(
                rows["sequence"].tolist(),
                identity=task["split"]["identity"],
                coverage=task["split"]["coverage"],
                both_strands=task["strands"] == "both",
                threads=threads,
                memory_gb=memory_gb,
            )
            groups = join_groups(rows["group"].where(named[own]), found, _overlapping(rows))
            parts, large = _whole(rows, groups, task)
            counts["split"] |= {key: task["split"][key] for key in ("identity", "coverage")}
            counts["split"] |= {"strands": task["strands"], **large}
            if not named.any():
                counts["grouped_by"], counts["groups_known"] = "cluster", len(rows)
                named = own
                table = table.assign(group=table["group"].mask(own, _names(rows, groups)))
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    table = table.assign(split=table["split"].mask(own, parts), grouped=named)
    table = table.assign(group=table["group"].where(table["group"] != "", table["id"]))
    return table, counts


def strata(table: pd.DataFrame, task: Mapping[str, Any]) -> pd.Series:
    """What a split keeps in the same shares: the class, the labels together, or the tenth that a number is in."""
    names = label_names(task)
    if task["kind"] == "classes":
        return table["label"].astype(int)
    if task["kind"] == "labels":
        text = table[names].astype("object").fillna("?").astype(str).agg("".join, axis=1)
        return text.where(text.map(text.value_counts()) >= _RARE, "rare")
    # Of several numbers the first that is known.
    number = table[names].bfill(axis=1).iloc[:, 0]
    return pd.qcut(number.rank(method="first"), min(_QUANTILES, len(number)), labels=False)


def learning_share(table: pd.DataFrame, share: float, task: Mapping[str, Any]) -> pd.DataFrame:
    """All other rows, and `share` of the training rows: of each stratum the first of one random order.

    So a smaller share is part of a larger one. A stratum keeps at least one row.
    """
    training = table["split"] == "train"
    rows = table[training]
    rng = np.random.default_rng([task["split"]["seed"], 1])
    order = pd.Series(rng.permutation(len(rows)), rows.index)
    groups = order.groupby(strata(rows, task).to_numpy())
    kept = order.groupby(strata(rows, task).to_numpy()).rank() <= np.maximum(
        1, np.floor(share * groups.transform("size") + 0.5)
    )
    return table[~training | kept.reindex(table.index, fill_value=False)]


def _given(rows: pd.DataFrame, task: Mapping[str, Any]) -> pd.Series:
    """Parts as they come; without validation rows some are cut from the training rows."""
    for part in ("train", "test"):
        if not (rows["split"] == part).any():
            raise InputError(
                f"no {part} rows; split.by 'given' needs training and test rows: correct split.parts, or let the rows"
                " be divided (split.by: random, similarity, ...)"
            )
    if (rows["split"] == "valid").any():
        return rows["split"]
    training = rows[rows["split"] == "train"]
    shares = task["split"]["shares"]
    valid = shares["valid"] / (shares["train"] + shares["valid"])
    groups = join_groups(
        training["group"].where(training["group"] != ""), training["id"], training["sequence"]
    )
    cut = split_groups(
        strata(training, task),
        _series(groups, training),
        {"train": 1 - valid, "valid": valid},
        task["split"]["seed"],
    )
    return cut.reindex(rows.index).fillna(rows["split"])


def _whole(
    rows: pd.DataFrame, groups: np.ndarray, task: Mapping[str, Any]
) -> tuple[pd.Series, dict[str, int]]:
    """Split by whole groups; those with more rows than the smallest part are for training."""
    shares = task["split"]["shares"]
    sizes = pd.Series(groups).map(pd.Series(groups).value_counts()).to_numpy()
    large = sizes > min(shares.values()) * len(rows)
    found = {
        "groups": len(set(groups)),
        "largest": int(sizes.max()),
        "always_training": int(large.sum()),
    }
    rest = 1 - large.mean()
    train = shares["train"] - large.mean()
    if train <= 0:
        raise InputError(
            f"{int(large.sum()):,} of {len(rows):,} rows are in groups too large for validation or test (the largest"
            f" has {found['largest']:,}), more than the {shares['train']:.0%} that train; of split.by 'similarity'"
            " raise split.identity or split.coverage, else choose another split"
        )
    adjusted = {"train": train / rest, **{part: shares[part] / rest for part in ("valid", "test")}}
    parts = pd.Series("train", rows.index, dtype=object)
    small = rows[~large]
    parts[~large] = split_groups(
        strata(small, task), _series(groups[~large], small), adjusted, task["split"]["seed"]
    )
    return parts, found


def _chromosomes(rows: pd.DataFrame, task: Mapping[str, Any], counts: dict[str, Any]) -> pd.Series:
    """Parts by chromosome: the user's, or each, the largest first, where the most rows are lacking."""
    asked = task["split"]["chromosomes"]
    sizes = rows["seqname"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    if (rows["seqname"] == "").any():
        row = rows[rows["seqname"] == ""].iloc[0]
        raise InputError(
            f"record {row['id']!r} has no chromosome; split.by 'chromosome' needs one in each row"
        )
    if any(asked.values()):
        assigned = dict.fromkeys(sizes.index, "train")
        for part, names in asked.items():
            known = names_in_genome(names, list(sizes.index))
            missing = [name for name in names if name not in known]
            if missing:
                raise InputError(
                    f"split.chromosomes.{part}: no rows on {missing[0]!r}; the data have {', '.join(sizes.index)}"
                )
            assigned |= dict.fromkeys(known.values(), part)
    else:
        lacking = {part: task["split"]["shares"][part] * len(rows) for part in PARTS}
        assigned = {}
        for name, n in sizes.items():
            part = max(lacking, key=lambda part: lacking[part])
            assigned[name] = part
            lacking[part] -= n
    counts["split"]["chromosomes"] = {
        part: [name for name in sizes.index if assigned[name] == part] for part in PARTS
    }
    parts = rows["seqname"].map(assigned)
    for part in PARTS:
        if not (parts == part).any():
            raise InputError(
                f"part {part!r} would have no chromosome, the data have {len(sizes)}; choose another split"
            )
    return parts


def _overlapping(rows: pd.DataFrame) -> pd.Series:
    """Cluster of each row whose place overlaps that of others on its strand; None where no place is known."""
    if "start" not in rows:
        return pd.Series(None, rows.index, dtype=object)
    found = pd.Series(overlap_clusters(rows), rows.index, dtype=object)
    return found.where(found >= 0, None)


def _names(rows: pd.DataFrame, groups: np.ndarray) -> pd.Series:
    """Clusters by the id of their first row."""
    return named_after_first(rows["id"], groups)


def _series(groups: np.ndarray, rows: pd.DataFrame) -> pd.Series:
    return pd.Series(groups, rows.index)


def _elsewhere(table: pd.DataFrame, label: int) -> str:
    """Where the rows of a class are."""
    counts = table.loc[table["label"] == label, "split"].value_counts()
    found = [f"{counts[part]:,} in {part!r}" for part in SPLITS if counts.get(part)]
    return "; ".join(found) or "none in any part"


def check_parts(table: pd.DataFrame, task: Mapping[str, Any], source: str) -> None:
    """Raise InputError where a part lacks a class, or has a label that never varies: no metric could be taken there."""
    names = label_names(task)
    for part in (name for name in SPLITS if (table["split"] == name).any()):
        rows = table[table["split"] == part]
        if task["kind"] == "classes":
            missing = [
                name for n, name in enumerate(task["classes"]) if not (rows["label"] == n).any()
            ]
            what = " and ".join(
                f"has no row of class {name!r} ({_elsewhere(table, task['classes'].index(name))})"
                for name in missing
            )
        elif task["kind"] == "labels":
            flat = [name for name in names if rows[name].dropna().nunique() < 2]
            what = f"has no row with, or none without, {flat[0]!r}" if flat else ""
        else:
            flat = [name for name in names if rows[name].dropna().nunique() < 2]
            what = f"has fewer than two values of {flat[0]!r}" if flat else ""
        if what:
            raise InputError(
                f"{source}: part {part!r} ({len(rows):,} rows) {what}; add data, change split.shares or split.by, or"
                " leave that one out"
            )
