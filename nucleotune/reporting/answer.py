"""Does a language model beat the best baseline? The answer of a study in one sentence.

One piece of code writes it for the study's page, its findings and the terminal. It is made of contests: what a study
found on one data set, or over all of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: A p value above it shows no difference.
ALPHA = 0.05

#: Contests that the sentence tells one by one; of more it counts the verdicts.
MOST = 4

AHEAD, BEHIND = "ahead", "behind"
UNDECIDED = "no difference shown"
COLLAPSED = "not comparable"


class Contest(NamedTuple):
    """The best model against the best baseline (titles) on `where`.

    value, other            of `metric`, of the model and of the baseline
    difference, low, high   model minus baseline with its interval; None where there is none
    p                       of the difference, corrected where several models were tested
    model                   what the model is called ("language model")
    collapsed               titles of those of the two that predict one class alone
    less                    whether less is better
    one                     what a collapsed one predicts one of, "class" or "number"
    remark                  what else belongs to the verdict, "ahead on 3 of 5 proteins"
    """

    where: str
    method: str
    baseline: str
    metric: str
    value: float
    other: float
    difference: float
    low: float | None
    high: float | None
    p: float
    model: str = "language model"
    collapsed: tuple[str, ...] = ()
    remark: str = ""
    less: bool = False
    one: str = "class"

    @property
    def verdict(self) -> str:
        """One of AHEAD, BEHIND, UNDECIDED and COLLAPSED, see `verdict`."""
        return verdict(-self.difference if self.less else self.difference, self.p, self.collapsed)


def verdict(difference: float, p: float, collapsed: Sequence[str] = ()) -> str:
    """What a difference (above 0: better) says of the model; where one of the two predicts one class alone, nothing."""
    if collapsed:
        return COLLAPSED
    if not p <= ALPHA:
        return UNDECIDED
    return AHEAD if difference > 0 else BEHIND


def answer(contests: Sequence[Contest]) -> str:
    """The sentence on all contests of a study."""
    if not contests:
        return "No language model was compared with a baseline in this run."
    if len(contests) <= MOST:
        return "; ".join(map(_one, contests)) + "."
    first, counts = contests[0], Counter(one.verdict for one in contests)
    differences = [one.difference for one in contests]
    told = [f"{name} on {counts[name]}" for name in (AHEAD, BEHIND, UNDECIDED) if counts[name]]
    told += [f"{COLLAPSED} (one predicts one class) on {counts[COLLAPSED]}"] * bool(
        counts[COLLAPSED]
    )
    return (
        f"Best {first.model} against best baseline on {len(contests)} data sets: {', '.join(told)}; difference of"
        f" {first.metric} {min(differences):+.3f} to {max(differences):+.3f}."
    )


def main_metric(measured: Mapping[str, Any]) -> str:
    """The metric that methods are chosen by, of a metrics.json."""
    return measured.get("main_metric", "auroc")


def predicts_one_class(measured: Mapping[str, Any]) -> bool:
    """Whether a method, its metrics.json given, gives all test rows one label or number, whatever the seed."""
    found = measured["splits"]["test"][main_metric(measured)]
    return found.get("one_class", found.get("constant")) == len(measured["seeds"])


def _one(contest: Contest) -> str:
    interval = f" ({contest.low:+.3f} to {contest.high:+.3f})" if contest.low is not None else ""
    said = contest.verdict
    if said == COLLAPSED:
        verb = "predicts" if len(contest.collapsed) == 1 else "predict"
        said += f", {' and '.join(contest.collapsed)} {verb} one {contest.one}"
    elif said in (AHEAD, BEHIND):
        said = f"the {contest.model} is {said}"
    return (
        f"{contest.where}: best {contest.model} {contest.method}, best baseline {contest.baseline}, {contest.metric}"
        f" {contest.value:.3f} against {contest.other:.3f}, difference {contest.difference:+.3f}{interval},"
        f" p = {contest.p:.2g}: {', '.join(filter(None, (said, contest.remark)))}"
    )
