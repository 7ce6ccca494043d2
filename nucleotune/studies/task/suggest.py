"""What suits a task: the way to divide its rows, and which of the shipped methods can hold its sequences."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.models.spec import has_windows
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
#: A tiny model of random weights, for machines without a GPU: cut or in windows.
TINY = ("dnabert-6-tiny", "dnabert-6-tiny-windows")
#: Nucleotides that a byte pair stands for, about.
BYTE_PAIR = 5
#: A model suits where at least this share of the sequences is read whole.
FITS = 0.99
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
    """Methods in the order of the tables' rows: a language model for each published model, then classical methods."""
    folders = [ROOT / "config"]
    found: dict[tuple[str, bool], Suggested] = {}
    families: dict[str, str] = {}
    for path in sorted((ROOT / "config" / "methods").glob("*.yaml")):
        method = load_method(path.stem, folders)
        if method["kind"] != "language_model" or not _general(method):
            continue
        model = load_model(method["model"], folders)
        tiny = path.stem in TINY
        if gpu if tiny else not model["checkpoint"] or not model["resources"]["gpu"]:
            continue
        windows = has_windows(method)
        if windows and _reads_whole(model, method, lengths) >= FITS:
            continue
        # Of several methods on a model the last by name, and of several models of a family likewise.
        found[method["model"], windows] = _suggested(path.stem, method, model, lengths, gpu)
        if not tiny:
            families[model["family"]] = method["model"]
    for (model, windows), one in found.items():
        if one.taken and one.name not in TINY and model not in families.values():
            why = f"{one.why}; one model of its family is enough to begin with"
            found[model, windows] = replace(one, why=why, taken=False)
        if not windows and (model, True) in found:
            found[model, windows] = replace(one, taken=False)
    models = sorted(found.values(), key=lambda one: not one.taken)
    baselines = dict(BASELINES)
    if lengths.nunique() > 1:
        baselines["length"] = "a reference line, since lengths differ"
    else:
        baselines["onehot"] = "the one to beat where position matters, since all have one length"
    titles = {name: load_method(name, folders)["title"] for name in baselines}
    return [*models, *(Suggested(name, titles[name], why, True) for name, why in baselines.items())]


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


def _general(method: Mapping[str, Any]) -> bool:
    """Whether a method asks for nothing that only one study has: stages, other views, a shorter input."""
    return (
        not method["start_from"]
        and not method["max_tokens"]
        and method["view"] == "transcript"
        and method["truncation"] == "right"
        and method["train_splits"] == ["train"]
    )


def _reads_whole(model: Mapping[str, Any], method: Mapping[str, Any], lengths: pd.Series) -> float:
    """Share of the sequences that a model reads at once; of byte pairs about."""
    most = most_letters(model, method) or BYTE_PAIR * model["max_tokens"]
    return float((lengths <= most).mean())


def _suggested(
    name: str, method: Mapping[str, Any], model: Mapping[str, Any], lengths: pd.Series, gpu: bool
) -> Suggested:
    most, whole = most_letters(model, method), _reads_whole(model, method, lengths)
    holds = (
        f"reads {most:,} nt"
        if most
        else f"reads {model['max_tokens']} byte pairs, some {BYTE_PAIR * model['max_tokens']:,} nt"
    )
    cut = "no sequence" if whole == 1 else f"{1 - whole:.1%} of the sequences"
    if has_windows(method):
        holds += f" at a time, {cut} in several windows"
    elif most or whole < 1:
        holds += f", cuts {cut}"
    if model["non_commercial"]:
        holds += "; not for commercial use"
    if name in TINY:
        why = f"{holds}; no published weights: a trial of the workflow, no more"
        return Suggested(name, method["title"], why, True)
    needs = "" if gpu else "; needs a GPU, none is on this machine"
    fits = has_windows(method) or whole >= FITS
    return Suggested(name, method["title"], holds + needs, fits and gpu)


def config_folder(directory: Path) -> list[str]:
    """Key `plugins` of a run in `directory`; none in the checkout, whose `config` is searched anyway."""
    return [] if directory.resolve() == ROOT else ["config"]
