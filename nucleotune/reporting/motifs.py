"""Tables of explained models and what their figures are drawn from, read from the files of rules attribute and modisco.

A run is an explained model: the title of its data set and that of its method.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.attribution.contributions import MUTAGENESIS, Explained, read_contributions
from nucleotune.attribution.motifs import composition
from nucleotune.attribution.onehot import at_bases
from nucleotune.attribution.patterns import read_patterns
from nucleotune.frames import read_tsv
from nucleotune.names import as_directories
from nucleotune.reporting.attribution import WIDEST, Motifs, Positions, Track
from nucleotune.reporting.tables import long_table, row
from nucleotune.reporting.texts import read_texts
from nucleotune.sequence.alphabet import BASES

#: Percentiles of agreement at which sequences are shown in Figure 8.
SHOWN = (25, 50, 75)

#: In the directory of a training: what explains its model.
_FOLDER = "attribution"

Run = tuple[str, str]


def run_titles(
    study: str, paths: Iterable[str | Path], described: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Run]:
    """Run of each path results/<study>/<dataset>/<method>/seed<seed>/attribution[/<target>]/<file>.

    Where a data set has several targets, their names follow its title.

    described: what the study's rule file says of `datasets` and `methods`.
    """
    datasets = read_texts(study).page_titles(described["datasets"])
    methods = {method["name"]: method["title"] for method in described["methods"]}
    names = {one["name"]: as_directories(one.get("names", ())) for one in described["datasets"]}
    runs = []
    for folder in (Path(path).parent for path in paths):
        target = folder.name if folder.parent.name == _FOLDER else None
        dataset, method = (folder.parent if target else folder).parts[-4:-2]
        title = datasets[dataset]
        runs.append((f"{title}: {names[dataset][target]}" if target else title, methods[method]))
    return runs


def drawn_motifs(
    runs: Iterable[Run],
    motifs: Iterable[str | Path],
    patterns: Iterable[str | Path],
    contributions: Iterable[str | Path],
) -> list[Motifs]:
    """What `attribution.motif_figure` draws of each run, from its files motifs.tsv, patterns.h5, contributions.npz."""
    shown = []
    for (dataset, method), table, found, explained in zip(
        runs, motifs, patterns, contributions, strict=True
    ):
        of_run = read_patterns(found)
        shown.append(
            Motifs(
                f"{dataset}, {method}",
                read_tsv(table).fillna({"element": "", "motif": ""}),
                of_run.ppm,
                of_run.cwm,
                composition(read_contributions(explained).sequences),
            )
        )
    return shown


def drawn_positions(runs: Iterable[Run], contributions: Iterable[str | Path]) -> list[Positions]:
    """What `attribution.positions_figure` draws of each run, from its file contributions.npz.

    Of language models these are effects of substitutions, as in their motifs.
    """
    shown = []
    for (dataset, method), path in zip(runs, contributions, strict=True):
        explained = read_contributions(path)
        _, every = explained.for_motifs()
        actual = at_bases(every, explained.sequences).astype(np.float64)
        shown.append(Positions(dataset, method, actual.mean(axis=0), len(actual)))
    return shown


def motifs_table(tables: Mapping[Run, pd.DataFrame]) -> pd.DataFrame:
    """Motifs of all runs, keys dataset, method, pattern, consensus and motif; `tables` are motifs.tsv.

    A run without a pattern has one row, with no number.
    """
    keys, rows = ("dataset", "method", "pattern", "consensus", "motif"), []
    for run, table in tables.items():
        for found in table.fillna({"element": "", "motif": ""}).to_dict("records"):
            motif = found["motif"] if found["element"] else ("none" if found["motif"] else "")
            names = (*run, found["pattern"].replace("_", " "), found["consensus"], motif)
            metrics = ["seqlets", *(["p", "q"] if found["motif"] else [])]
            if not np.isnan(found["distance"]):
                metrics += ["distance", "distance_q1", "distance_q3"]
            rows += [
                row(
                    dict(zip(keys, names, strict=True)),
                    metric,
                    None,
                    {"value": found[metric]},
                    comparable=False,
                )
                for metric in metrics
            ]
        if table.empty:
            names = (*run, "none found", "", "")
            rows.append(
                row(
                    dict(zip(keys, names, strict=True)),
                    "seqlets",
                    None,
                    {"value": 0},
                    comparable=False,
                )
            )
    return long_table(rows, keys)


def summaries_table(summaries: Mapping[Run, Mapping[str, Any]]) -> pd.DataFrame:
    """How far explanations can be trusted, keys dataset, method, way and motifs; `summaries` are summary.json.

    Substitutions alone are neither complete nor compared with anything.
    """
    keys, rows = ("dataset", "method", "way", "motifs_from"), []
    for run, found in summaries.items():
        names = dict(zip(keys, (*run, found["way"], found["motifs_from"]), strict=True))
        measured = {"sequences": {"value": found["sequences"]}}
        complete = found["completeness"]
        if complete:
            measured |= {
                f"delta_{name}": {"value": complete[name]}
                for name in ("median", "largest", "relative")
            }
        measured["mutated"] = {"value": found["mutated"]}
        says_nothing = complete and complete["relative"] is None
        measured |= found["agreement"] if complete else {}
        rows += [
            row(
                names,
                metric,
                None,
                value,
                comparable=False,
                n_test=value["n"] if value and "n" in value else None,
                note="the model predicts the same for every sequence" if says_nothing else "",
            )
            for metric, value in measured.items()
        ]
    return long_table(rows, keys)


def order_table(tables: Mapping[Run, pd.DataFrame]) -> pd.DataFrame:
    """Order of the elements by all runs, keys dataset, method and test; `tables` are order.tsv."""
    keys, rows = ("dataset", "method", "test"), []
    for run, table in tables.items():
        for found in table.to_dict("records"):
            of_control = {"value": found["control"]}
            of_control |= {name: found[f"control_{name[3:]}"] for name in ("ci_low", "ci_high")}
            names = dict(zip(keys, (*run, found["test"]), strict=True))
            for metric, value in (
                ("share", {"value": found["share"]}),
                ("control", of_control),
                ("p", {"value": found["p"]}),
            ):
                rows.append(row(names, metric, None, value, comparable=False, n_test=found["n"]))
    return long_table(rows, keys)


def typical(judged: pd.DataFrame, explained: Explained) -> list[str]:
    """Ids of the sequences at the SHOWN percentiles of agreement; without mutagenesis, of the explained value."""
    measure = "pearson" if len(explained.mutated) else "value"
    ordered = judged.dropna(subset=[measure]).sort_values(measure, kind="stable")["id"]
    places = [round(percentile / 100 * (len(ordered) - 1)) for percentile in SHOWN]
    return list(dict.fromkeys(ordered.iloc[places]))


def tracks(
    run: Run, explained: Explained, seqlets: pd.DataFrame, ids: Iterable[str]
) -> list[Track]:
    """Rows of Figure 8: contributions to the sequences `ids` by the model's own way, and by mutagenesis.

    Of a sequence longer than WIDEST the stretch with the highest contributions; ids that the model lacks are left
    out. seqlets: seqlets.tsv.
    """
    found = []
    numbers = {name: i for i, name in enumerate(explained.ids)}
    effects = dict(zip(explained.mutated.tolist(), explained.mutation_effects(), strict=True))
    named = seqlets[(seqlets["element"].fillna("") != "") & (seqlets["sign"] == "positive")]
    for name in (name for name in ids if name in numbers):
        number = numbers[name]
        width = min(WIDEST, explained.actual.shape[1])
        total = np.convolve(np.abs(explained.actual[number]), np.ones(width), mode="valid")
        begin = int(total.argmax())
        shown = slice(begin, begin + width)
        letters = explained.sequences[number].T[shown]
        text = "".join(BASES[one.argmax()] if one.any() else "N" for one in letters)
        within = named[
            (named["example"] == number) & (named["start"] >= begin) & (named["end"] <= shown.stop)
        ]
        site = int(explained.sites[number])
        shared = {
            "sequence": text,
            "begin": begin,
            "site": site if begin <= site < shown.stop else None,
            "seqlets": list(within[["start", "end", "element"]].itertuples(index=False, name=None)),
        }
        ways = {explained.way: explained.actual[number]}
        if number in effects:
            ways[MUTAGENESIS] = effects[number]
        found += [
            Track(f"{name}, {run[1]} ({run[0]}): {way}", contributions=values[shown], **shared)
            for way, values in ways.items()
        ]
    return found
