"""Search of hyper-parameters by Optuna's TPE, a Bayesian method (Bergstra et al. 2011), that can be interrupted.

A search space is a mapping from a key of the method, dots between levels, to what it may be:

    training.learning_rate: {low: 1.0e-5, high: 1.0e-2, log: true}     a number; `log`: drawn on a log scale
    sizes.layers: {low: 4, high: 12}                                   whole where both ends are
    sizes.filters: [32, 64, 128]                                       one of these

What is searched for is the lowest validation loss; the test sequences take no part. Every trial is written to a journal
as it ends. A search that is started again goes on behind the last whole trial, and the trial that was cut off resumes
from its own state; it ends with the trials it would have had without the interruption, since the draws of a trial
depend on its number, the seed and the trials before it.
"""

import copy
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from nucleotune.errors import InputError
from nucleotune.files import atomic_path, write_json
from nucleotune.profile_contracts import ProfileExamples
from nucleotune.training.profile import train_profile
from nucleotune.training.profile_trainer import Diverged
from nucleotune.training.state import remove_state

logger = logging.getLogger(__name__)

JOURNAL = "trials.journal"

Space = Mapping[str, Any]


class Tuned(NamedTuple):
    """What a search found.

    best    {"value": validation loss, "trial": number, "parameters": {key: value}, "trials": how many}
    trials  one row a trial: trial, value (missing where training diverged), seconds, one column a key of the space
    """

    best: dict[str, Any]
    trials: pd.DataFrame


def tune_profile(
    examples: ProfileExamples,
    *,
    method: dict[str, Any],
    model: dict[str, Any] | None,
    space: Space,
    trials: int,
    seed: int,
    threads: int,
    state_dir: Path,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> Tuned:
    """Search the settings of a profile model: each trial is a training with `method` changed at the keys of `space`.

    Arguments not of the search are those of `training.profile.train_profile`; `state_dir` holds the journal and
    the state of the trial under way. The caller removes it once the result is written.

    Raises:
        InputError: a key of `space` is none of the method's, its values make no space, or every trial diverged.
    """

    def loss(parameters: dict[str, Any]) -> float:
        trained = train_profile(
            examples,
            method=with_parameters(method, parameters),
            model=model,
            seed=seed,
            threads=threads,
            device=device,
            checkpoint=checkpoint,
            state_dir=state_dir / "training",
            output_dir=None,
        )
        remove_state(state_dir / "training")
        return trained.summary["best_validation_loss"]

    with_parameters(method, space)  # finds unknown keys before the first training
    return search(loss, space, trials=trials, seed=seed, journal=state_dir / JOURNAL)


def search(
    objective: Callable[[dict[str, Any]], float],
    space: Space,
    *,
    trials: int,
    seed: int,
    journal: Path,
) -> Tuned:
    """Minimise `objective`, a function of {key of `space`: value}, in so many trials, those in `journal` included.

    The objective raises Diverged where its parameters give no value. The journal belongs to one space and seed.

    Raises:
        InputError: `space` is none, every trial diverged, or the journal is that of another space.
    """
    distributions = {key: _distribution(key, values) for key, values in space.items()}
    if not distributions:
        raise InputError("the search space is empty: name at least one key and its values")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(journal))),
        study_name=f"seed{seed}",
        load_if_exists=True,
    )
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)  # cut off: it is done again, not counted
    _check_journal(study, distributions, journal)
    begin, first = time.perf_counter(), len(_ended(study))
    for number in range(first, trials):
        study.sampler = optuna.samplers.TPESampler(seed=_seed(seed, number))
        trial = study.ask(distributions)
        try:
            value = objective(trial.params)
        except Diverged as error:
            logger.warning("%s", error)
            study.tell(trial, state=TrialState.PRUNED)
            value = None
        else:
            study.tell(trial, value)
        pace = (time.perf_counter() - begin) / (number + 1 - first)
        left = divmod(round(pace * (trials - number - 1)), 60)
        logger.info(
            "trial %d of %d: loss %s with %s; %.0f s a trial, about %d:%02d min left",
            *(number + 1, trials, value, trial.params, pace, *left),
        )
    return _result(study, list(distributions), trials)


def with_parameters(method: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `method` with the values of `parameters`, whose keys have dots between levels.

    Raises InputError for a key that the method does not have.
    """
    changed = copy.deepcopy(method)
    for key, value in parameters.items():
        *blocks, last = key.split(".")
        place = changed
        for block in blocks:
            place = place.get(block) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise InputError(f"search space: method {method['title']!r} has no key {key!r}")
        place[last] = value
    return changed


def write_tuned(tuned: Tuned, table: str | Path, best: str | Path) -> None:
    """Write the trials as TSV and the best of them as JSON."""
    with atomic_path(table) as path:
        tuned.trials.to_csv(path, sep="\t", index=False)
    write_json(best, tuned.best)


def _distribution(key: str, values: Any) -> optuna.distributions.BaseDistribution:
    if isinstance(values, list) and values:
        # Optuna keeps numbers, strings and booleans; a list (widths of layers) is not one.
        if all(isinstance(value, str | int | float | bool) for value in values):
            return optuna.distributions.CategoricalDistribution(values)
    elif isinstance(values, Mapping) and {"low", "high"} <= values.keys() <= {"low", "high", "log"}:
        low, high, log = values["low"], values["high"], values.get("log", False)
        whole = isinstance(low, int) and isinstance(high, int)
        if (low < high) and (low > 0 or not log):
            kind = (
                optuna.distributions.IntDistribution
                if whole
                else optuna.distributions.FloatDistribution
            )
            return kind(low, high, log=log)
    raise InputError(
        f"search space: {key}: expected a list of values, or low and high (and log: true, above 0), found {values!r}"
    )


def _seed(seed: int, number: int) -> int:
    """Seed of the draws of one trial."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])


def _check_journal(study: optuna.Study, distributions: dict[str, Any], journal: Path) -> None:
    for trial in _ended(study):
        if trial.distributions != distributions:
            raise InputError(
                f"{journal}: its trials are of another search space; remove it, or give this search another directory"
            )


def _result(study: optuna.Study, keys: list[str], trials: int) -> Tuned:
    ended = _ended(study)[:trials]
    whole = [
        (trial.value, i) for i, trial in enumerate(ended) if trial.state == TrialState.COMPLETE
    ]
    if not whole:
        raise InputError(
            "every trial of the search diverged: lower the learning rates of the search space"
        )
    value, best = min(whole)
    rows = [
        {
            "trial": i,
            "value": trial.value if trial.state == TrialState.COMPLETE else None,
            "seconds": trial.duration.total_seconds(),
            **{key: trial.params[key] for key in keys},
        }
        for i, trial in enumerate(ended)
    ]
    found = {"value": value, "trial": best, "parameters": ended[best].params, "trials": len(ended)}
    return Tuned(found, pd.DataFrame(rows))
