"""Rows that sampling left out, in words: the same for every study, from the waterfalls of data cards.

Imported by the Snakefile, for the end of a run: standard library only.
"""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.files import read_json

#: Data sets that the end of a run names one by one.
MOST = 10

log = logging.getLogger(__name__)


def sampled(card: Mapping[str, Any]) -> list[str]:
    """What was sampled away, one phrase a setting: "positive sampled to 200 of 1,484, ... (rbp.per_class)".

    A step of the waterfall that draws rows says by which setting under `sampled_by`.
    """
    found: dict[str, list[str]] = {}
    for step in card.get("waterfall", ()):
        if step.get("sampled_by") and step["dropped"]:
            total = step["kept"] + step["dropped"]
            text = f"{step['class']} sampled to {step['kept']:,} of {total:,}"
            found.setdefault(step["sampled_by"], []).append(text)
    return [f"{', '.join(texts)} ({setting})" for setting, texts in found.items()]


def log_sampled(card: Mapping[str, Any]) -> None:
    """Write it into the log of the job that samples; the terminal has it at the end of the run."""
    for text in sampled(card):
        log.info("%s", text)


def at_the_end(cards: Iterable[str | Path]) -> list[str]:
    """Lines for the terminal on what was left out of some data sets; cards: `results/<study>/<dataset>/card.json`."""
    lines = []
    for path in map(Path, cards):
        texts = sampled(read_json(path))
        if texts:
            lines.append(f"{path.parent.parent.name}/{path.parent.name}: {'; '.join(texts)}")
    if len(lines) > MOST:
        rest = len(lines) - MOST
        lines = [*lines[:MOST], f"and {rest:,} more data sets: see their card.json and the page"]
    return lines
