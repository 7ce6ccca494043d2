"""What suits a task: the way to divide its rows, and which of the shipped methods can hold its sequences."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.costs import baseline_hours, read_costs
from nucleotune.plugins import load_method, load_model
from nucleotune.sequence.similarity import clusters, missing
from nucleotune.stages import ROOT

#: Classical methods that read any sequences, and why.
BASELINES = {
    "tfidf": "the one to beat where short motifs matter, wherever they are",
    "cnn": "the one to beat without pretraining",
    "boosted": "what k-mer counts say in combination",
    "dinucleotide": "a reference line",
    "gc": "a reference line",
    "majority": "what a method says that reads nothing",
}
#: What probes and models without pre-training are for.
PROBE = "the same model, not trained: a regression on its embeddings"
CONTROL = "the same network without pre-training: what is pre-training worth?"
#: Published models in the order in which one of them is taken first: fine-tuned, probe, without pre-training.
MODELS = (
    ("dnabert-6", "dnabert-6-probe", "dnabert-6-random"),
    ("dnabert-2", "dnabert-2-probe", "dnabert-2-random"),
    ("nt-lora", "nt-probe"),
)
#: Methods on them, on their siblings and on a tiny model that are named, but never taken.
MORE = {
    **dict.fromkeys(
        ("dnabert-6-lora", "dnabert-2-lora"), "trains less than one per cent of the weights"
    ),
    **dict.fromkeys(("dnabert-3", "dnabert-4", "dnabert-5"), "as dnabert-6, in shorter words"),
    "dnabert-6-tiny": "no published weights and no GPU needed: a trial of the workflow, no more",
}
#: Methods that read in windows what these cut.
WINDOWS = {name: f"{name}-windows" for name in ("dnabert-6", "dnabert-2", "dnabert-6-tiny")}
#: A model suits where at least this share of the sequences is read whole.
FITS = 0.99
#: Nucleotides of a byte pair, about.
PAIR = 5
#: Without a GPU a baseline that takes longer (minutes) is only named.
LONGEST = 15
#: Mean length (nt) of the sequences that the costs of `resources/costs.tsv` are of, about.
COSTED = 400
#: Sequences that are compared for a first impression at most, and letters (nt).
MOST_SEQUENCES, MOST_LETTERS = 5_000, 5_000_000
#: Rows with relatives above which a random split flatters.
MANY = 0.05
#: Chromosomes that a split by them needs, and the largest share of the rows on one.
FEWEST_CHROMOSOMES, LARGEST_SHARE = 5, 0.6


@dataclass(frozen=True)
class Suggested:
    """A method: its name, title, why, and whether it is part of the run or only named in a comment."""

    name: str
    title: str
    why: str
    taken: bool


def has_gpu() -> bool:
    """Whether this machine lists a GPU of NVIDIA."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return found.returncode == 0 and "GPU 0" in found.stdout


def most_letters(model: Mapping[str, Any], method: Mapping[str, Any]) -> int | None:
    """Longest sequence (nt) that a model reads whole; None where it depends on the sequence (byte pairs)."""
    tokens = method.get("max_tokens") or model["max_tokens"]
    tokenizer = model["tokenizer"]
    if tokenizer["kind"] == "kmer":
        special = 3 if tokenizer.get("species") else 2
        return tokens - special + tokenizer["k"] - 1
    return 6 * (tokens - 1) if tokenizer["kind"] == "sixmer" else None


def suggest_methods(lengths: pd.Series, *, gpu: bool) -> list[Suggested]:
    """Methods in the order of the tables' rows: language models with probes and controls, then baselines.

    With a GPU every published model that holds the sequences is taken with its probe, and the first one also without
    pre-training, and others in windows; without one they are named only, as are baselines that take more than minutes.

    lengths: of all sequences (nt).
    """
    taken: list[Suggested] = []
    control = True
    for names in MODELS:
        holds, whole = _holds(names[0], lengths)
        for name, why in zip(names, (holds, PROBE, CONTROL), strict=False):
            fits = gpu and whole >= FITS and (why != CONTROL or control)
            said = why if gpu else f"{why}; needs a GPU"
            taken.append(Suggested(name, _method(name)["title"], said, fits))
        taken += _windows(names[0], lengths, gpu)
        control = control and (whole < FITS or len(names) < 3)
    for name, why in MORE.items():
        taken.append(
            Suggested(name, _method(name)["title"], f"{why}; {_holds(name, lengths)[0]}", False)
        )
        taken += _windows(name, lengths, False)
    taken.sort(key=lambda one: not one.taken)
    baselines = dict(BASELINES)
    if lengths.nunique() > 1:
        baselines["length"] = "a reference line, since lengths differ"
    else:
        baselines["onehot"] = "the one to beat where position matters, since all have one length"
    for name, why in baselines.items():
        minutes = baseline_minutes(name, lengths)
        quick = gpu or minutes <= LONGEST
        said = why if quick else f"{why}; takes some {minutes:,.0f} minutes on these rows"
        taken.append(Suggested(name, _method(name)["title"], said, quick))
    return taken


def baseline_minutes(name: str, lengths: pd.Series) -> float:
    """What fitting a baseline takes on one core, by `resources/costs.tsv`; the time grows with rows and lengths."""
    costs = read_costs(ROOT / "resources" / "costs.tsv")
    rows = {"train": float(len(lengths))}
    return 60 * baseline_hours(_method(name), rows, costs) * float(lengths.mean()) / COSTED


def suggest_split(
    sequences: pd.Series, columns: Mapping[str, Any], table: pd.DataFrame, *, both_strands: bool
) -> tuple[str, str]:
    """`split.by` and the reason.

    columns: of the task file. table: rows with `group` and `seqname` where there are any.
    """
    if "split" in columns:
        return "given", f"column {columns['split']!r} says the part of each row"
    if "group" in columns and (n := table["group"].nunique()) < len(table):
        return "group", f"{len(table):,} rows are of {n:,} groups (column {columns['group']!r})"
    reason = missing()
    related, looked = (None, "") if reason else _related(sequences, both_strands)
    placed = table["seqname"].value_counts(normalize=True) if "seqname" in table else pd.Series()
    if len(placed) >= FEWEST_CHROMOSOMES and placed.iloc[0] <= LARGEST_SHARE:
        few = related is None or related <= MANY
        if few:
            said = (
                f"; {related:.1%} of the rows have a relative{looked}"
                if related is not None
                else ""
            )
            return "chromosome", f"{len(placed)} chromosomes, so neighbours stay together{said}"
    if related is None:
        return "random", f"relatives cannot be looked for: {reason}"
    return "similarity", (
        f"{related:.1%} of the rows have a relative of 80 % identity{looked}, which a random split would put on both"
        " sides"
    )


def _related(sequences: pd.Series, both_strands: bool) -> tuple[float, str]:
    """Share of rows with a relative, and what was looked at."""
    rng = np.random.default_rng(1)
    order = sequences.iloc[rng.permutation(len(sequences))]
    few = order[order.str.len().cumsum() <= MOST_LETTERS].iloc[:MOST_SEQUENCES]
    looked = f" (of {len(few):,} looked at)" if len(few) < len(sequences) else ""
    if few.empty:
        return 0.0, looked
    found = pd.Series(clusters(few.tolist(), identity=0.8, both_strands=both_strands, threads=2))
    return float(found.duplicated(keep=False).mean()), looked


def _method(name: str) -> dict[str, Any]:
    return load_method(name, [ROOT / "config"])


def _windows(name: str, lengths: pd.Series, gpu: bool) -> list[Suggested]:
    """The method that reads in windows what `name` cuts, if there is one and much is cut; taken with a GPU."""
    whole = _holds(name, lengths)[1]
    if name not in WINDOWS or whole >= FITS:
        return []
    why = f"reads all, {1 - whole:.1%} of the sequences in several windows"
    needs = "" if gpu or name not in (one[0] for one in MODELS) else "; needs a GPU"
    return [Suggested(WINDOWS[name], _method(WINDOWS[name])["title"], why + needs, gpu)]


def _holds(name: str, lengths: pd.Series) -> tuple[str, float]:
    """What a method's model reads, in words, and the share of the sequences that it reads whole."""
    method = _method(name)
    model = load_model(method["model"], [ROOT / "config"])
    most = most_letters(model, method)
    about = "" if most else "some "
    reach = most or PAIR * model["max_tokens"]
    whole = float((lengths <= reach).mean())
    cut = "no sequence" if whole == 1 else f"{1 - whole:.1%} of the sequences"
    licence = "; not for commercial use" if model["non_commercial"] else ""
    return f"reads {about}{reach:,} nt, cuts {cut}{licence}", whole


def config_folder(directory: Path) -> list[str]:
    """Key `plugins` of a run in `directory`; none in the checkout, whose `config` is searched anyway."""
    return [] if directory.resolve() == ROOT else ["config"]
