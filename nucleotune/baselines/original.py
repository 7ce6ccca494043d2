"""CPC2, PLEK and LncFinder as their authors ship them: the installed tool with its own trained model.

The rules of rules/original.smk run a tool on the FASTA file written here and leave its output as it is; this module
reads that output. Nothing is trained, so one run of the tool serves all seeds.
"""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nucleotune.baselines import PREDICTED_SPLITS, predicted_splits
from nucleotune.contracts import read_examples
from nucleotune.errors import InputError
from nucleotune.files import atomic_path

log = logging.getLogger(__name__)

#: First words of the file that stands in for the output of a tool that is not installed.
NOT_RUN = "not run: "


class Format(NamedTuple):
    """What a tool writes: a tab-separated line a record.

    columns: all columns of a file without a header line; None for a file that begins with one.
    name, number, call: columns of the record's name, of what the tool ranks by, and of its decision.
    calls: the tool's words for the decision, mRNA (0) first.
    probability: True where the number is the probability of coding, False for a margin (above 0: coding).
    """

    columns: tuple[str, ...] | None
    name: str
    number: str
    call: str
    calls: tuple[str, str]
    probability: bool


FORMATS = {
    "cpc2": Format(
        columns=None,
        name="#ID",
        number="coding_probability",
        call="label",
        calls=("coding", "noncoding"),
        probability=True,
    ),
    "plek": Format(
        columns=("label", "decision value", "name"),
        name="name",
        number="decision value",
        call="label",
        calls=("Coding", "Non-coding"),
        probability=False,
    ),
    "lncfinder": Format(
        columns=None,
        name="id",
        number="Coding.Potential",
        call="Pred",
        calls=("Coding", "NonCoding"),
        probability=True,
    ),
}


class Scored(NamedTuple):
    """One record of a tool's output: `score` higher for lncRNA, `predicted` 1 for lncRNA."""

    score: float
    predicted: int


def rows_to_score(examples: str | Path) -> pd.DataFrame:
    """The rows that are scored, in file order, named seq1, seq2, ... in the column `name`.

    The tools read names of their own making: ids with blanks or bars would come back in another form.
    """
    columns = ["id", "sequence", "label", "split"]
    splits = predicted_splits(read_examples(examples, columns=["split"])["split"])
    rows = read_examples(examples, columns=columns, splits=splits)
    if rows.empty:
        raise InputError(f"{examples}: no rows of split {' or '.join(PREDICTED_SPLITS)} to score")
    return rows.assign(name=[f"seq{number}" for number in range(1, len(rows) + 1)])


def write_fasta(path: str | Path, rows: pd.DataFrame) -> None:
    """Write `name` and `sequence` of `rows`, each sequence on one line (PLEK reads line by line)."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as stream:
        for name, sequence in zip(rows["name"], rows["sequence"], strict=True):
            stream.write(f">{name}\n{sequence}\n")


def reason_not_run(output: str | Path) -> str | None:
    """Why the tool did not run, from the file that stands in for its output; None for real output."""
    with Path(output).open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline()
    return first.removeprefix(NOT_RUN).strip() if first.startswith(NOT_RUN) else None


def read_output(tool: str, path: str | Path) -> dict[str, Scored]:
    """Read the output of `tool`, a key of FORMATS: {record name: Scored}.

    A score is 1 - P(coding), or minus the margin (PLEK). Raises InputError with file, line and what was expected for a
    line in another form, a number out of range, an unknown decision and a record that comes twice.
    """
    form = FORMATS[tool]
    found: dict[str, Scored] = {}
    columns = form.columns
    with Path(path).open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            fields = line.rstrip("\r\n").split("\t")
            where = f"{path}: line {number}"
            if columns is None:
                columns = tuple(fields)
                missing = [c for c in (form.name, form.number, form.call) if c not in columns]
                if missing:
                    raise InputError(
                        f"{where}: expected the header of {tool} with the tab-separated column(s)"
                        f" {', '.join(missing)}, found {_short(line)}"
                    )
                continue
            if len(fields) != len(columns):
                raise InputError(
                    f"{where}: expected {len(columns)} tab-separated columns ({', '.join(columns)}),"
                    f" found {_short(line)}; was the tool interrupted?"
                )
            record = dict(zip(columns, fields, strict=True))
            name = record[form.name].removeprefix(">")
            if name in found:
                raise InputError(f"{where}: record {name!r} occurs more than once")
            found[name] = _scored(record, form, where)
    if not found:
        raise InputError(f"{path}: no record; expected a line of {tool} for each transcript")
    return found


def _scored(record: Mapping[str, str], form: Format, where: str) -> Scored:
    text, call = record[form.number], record[form.call]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 <= value <= 1 if form.probability else math.isfinite(value)):
        expected = "a probability from 0 to 1" if form.probability else "a number"
        raise InputError(f"{where}, column {form.number!r}: expected {expected}, found {text!r}")
    if call not in form.calls:
        raise InputError(
            f"{where}, column {form.call!r}: expected {' or '.join(form.calls)}, found {call!r}"
        )
    return Scored(1 - value if form.probability else -value, form.calls.index(call))


def _short(line: str) -> str:
    return repr(line.rstrip("\r\n")[:80])


def predictions(
    tool: str, output: str | Path, rows: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Predictions of `rows` (as `rows_to_score` gives them) from the tool's output, and an info dict.

    A row that the tool left out (PLEK: under 200 nt) stays in the comparison, so that all methods are judged on the
    same rows: it gets the score on the tool's threshold and is not called lncRNA. The info dict counts them. Raises
    InputError for output with other records than those of `rows`, and as `read_output`.
    """
    found = read_output(tool, output)
    unknown = found.keys() - set(rows["name"])
    if unknown:
        raise InputError(
            f"{output}: record {min(unknown)!r} is not among the {len(rows)} given to {tool}; the output"
            " belongs to other"
            " examples: remove it and run again"
        )
    undecided = Scored(0.5 if FORMATS[tool].probability else 0.0, 0)
    scored = [found.get(name, undecided) for name in rows["name"]]
    missing = len(rows) - len(found)
    if missing:
        log.warning("%s left out %d of %d transcripts", tool, missing, len(rows))
    table = rows[["id", "split", "label"]].assign(
        score=np.array([one.score for one in scored]),
        predicted=np.array([one.predicted for one in scored], dtype=np.int8),
    )
    remark = "the tool's own trained model"
    if missing:
        remark += f"; {missing} of {len(rows)} transcripts left out by the tool"
    return table, {
        **describe(tool, remark),
        "predicted_rows": rows["split"].value_counts().sort_index().to_dict(),
        "left_out": missing,
    }


def describe(tool: str, remark: str) -> dict[str, Any]:
    """What `fit.json` says of a method that nothing was fitted for."""
    return {
        "baseline": tool,
        "mode": "original",
        "train_rows": {"label_0": 0, "label_1": 0},
        "rows_used": 0,
        "remark": remark,
    }
