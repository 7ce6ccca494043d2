"""What the page of a study says in words; each study has its own in `studies/<study>/texts.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from nucleotune.reporting import headlines

#: Title and caption.
Text = Mapping[str, str]


def plain_titles(datasets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name -> title of data sets as they are described."""
    return {one["name"]: one["title"] for one in datasets}


@dataclass(frozen=True)
class Texts:
    """Texts of a study.

    title        of its page
    asked        the question
    figures      name of a figure's file -> its title and caption
    rows         what examples are
    compared     what the page says of the paired comparisons
    page_titles  of described data sets: name -> title on the page
    headlines    of metrics, comparisons, data sets, methods and the keywords of resampling: findings, see
                 `reporting.headlines`
    motifs       title, caption and labels of the table of motifs, if models of the study are explained
    published    whether there is a paper whose numbers could stand beside the measured ones
    """

    title: str
    asked: str
    figures: Mapping[str, Text]
    rows: str = "sequences"
    compared: str = headlines.COMPARED
    page_titles: Callable[[Sequence[Mapping[str, Any]]], dict[str, str]] = plain_titles
    headlines: Callable[..., list[dict[str, Any]]] = headlines.headlines
    motifs: Mapping[str, Any] | None = None
    published: bool = True


def read_texts(study: str) -> Texts:
    """Texts of a study by its name."""
    return import_module(f"nucleotune.studies.{study}.texts").TEXTS
