"""From the files of a task to its examples and data card."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.contracts import SPLITS, further_tests
from nucleotune.files import describe_file
from nucleotune.genome.loci import overlapping
from nucleotune.studies.leaks import identical, leakage, overlaps, shared_sequences
from nucleotune.studies.task.clean import clean
from nucleotune.studies.task.labels import label_names, with_labels
from nucleotune.studies.task.plugin import PLACE
from nucleotune.studies.task.read import cut_sequences, read_rows
from nucleotune.studies.task.split import check_parts, learning_share, split_task


def build_task(
    files: Mapping[str, str],
    *,
    task: Mapping[str, Any],
    share: float | None = None,
    threads: int = 1,
    memory_gb: float = 2,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Examples and data card of one task.

    Args:
        files: by name as `plan.task_files` names them; the genome unpacked.
        task: of `plan.computed_task`.
        share: of the training rows that are kept (a learning curve); None keeps all.
        threads: of the search for related sequences.
        memory_gb: of its index.

    Returns rows with `id`, `sequence`, `split`, `group`, the label (classes: `label`, int8; labels: `label:<name>`,
    Int8 with null; numbers: `value:<name>`, float64 with NaN) and, where known, `seqname`, `start`, `end`, `strand`.
    Raises InputError for all that is not as the task says.
    """
    source = ", ".join(dict.fromkeys(str(files[key]) for key in task["entries"]))
    table = with_labels(read_rows(files, task), task)
    lost: dict[str, int] = {}
    if "genome" in files:
        table, lost = cut_sequences(table, files["genome"], task)
    table, counts = clean(table, task)
    table, divided = split_task(table, task, source=source, threads=threads, memory_gb=memory_gb)
    if share is not None:
        table = learning_share(table, share, task)
    check_parts(table, task, source)
    names = label_names(task)
    if task["kind"] == "classes":
        table = table.astype({"label": "int8"})
    places = [name for name in PLACE if name in table]
    columns = ["id", "sequence", *names, "split", "group", *places]
    known = table["grouped"].reset_index(drop=True)
    examples = table[columns].reset_index(drop=True)
    card = {
        "task": task["kind"],
        "names": task["classes"] if task["kind"] == "classes" else task["names"],
        "places_lost": lost,
        **counts,
        **divided,
        "training_share": share,
        **_described(examples, task),
        **_audit(examples, known, task),
        "inputs": [describe_file(path) for path in files.values()],
    }
    return examples, card


def _described(examples: pd.DataFrame, task: Mapping[str, Any]) -> dict[str, Any]:
    """Rows by part, lengths (nt), and what the labels are like."""
    lengths = examples["sequence"].str.len()
    names = label_names(task)
    found: dict[str, Any] = {
        "length": {
            "min": int(lengths.min()),
            "median": int(lengths.median()),
            "max": int(lengths.max()),
        }
    }
    parts = [
        *(one for one in SPLITS if (examples["split"] == one).any()),
        *further_tests(examples["split"]),
    ]
    by_part = {part: examples[examples["split"] == part] for part in parts}
    if task["kind"] == "classes":
        found["splits"] = {
            part: {name: int((rows["label"] == n).sum()) for n, name in enumerate(task["classes"])}
            for part, rows in by_part.items()
        }
        found["classes"] = {
            name: int((examples["label"] == n).sum()) for n, name in enumerate(task["classes"])
        }
        return found
    found["splits"] = {part: {"rows": len(rows)} for part, rows in by_part.items()}
    if task["kind"] == "labels":
        found["labels"] = {
            part: {
                name: {
                    "present": int((rows[column] == 1).sum()),
                    "absent": int((rows[column] == 0).sum()),
                    "unknown": int(rows[column].isna().sum()),
                }
                for name, column in zip(task["names"], names, strict=True)
            }
            for part, rows in by_part.items()
        }
        return found
    found["numbers"] = {
        part: {
            name: _summary(rows[column]) for name, column in zip(task["names"], names, strict=True)
        }
        for part, rows in by_part.items()
    }
    return found


def _summary(values: pd.Series) -> dict[str, float | int | None]:
    known = values.dropna()
    quantiles = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
    found = {
        name: float(known.quantile(q)) if len(known) else None for name, q in quantiles.items()
    }
    return {"known": len(known), "unknown": len(values) - len(known), **found}


def _audit(examples: pd.DataFrame, known: pd.Series, task: Mapping[str, Any]) -> dict[str, Any]:
    """What training and test rows have in common: groups (of those `known`), places, sequences, words."""
    both = task["strands"] == "both"
    found = leakage(examples["split"], examples["group"], known)
    placed = (
        (examples["seqname"] != "") if "start" in examples else pd.Series(False, examples.index)
    )
    found["test_rows_overlapping_training"] = overlaps(examples, placed, overlapping)
    return {
        "leakage": found | shared_sequences(examples, both_strands=both),
        "identical": identical(examples, both_strands=both),
        "places_known": int(placed.sum()),
        "genes_known": int(known.sum()),
    }
