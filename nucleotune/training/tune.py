"""Search of hyper-parameters by Optuna's TPE, a Bayesian method (Bergstra et al. 2011), that can be interrupted.

What is searched for (`search_space`) is the lowest validation loss, with the weights of LOSS_WEIGHTS whatever a trial
was trained with: one that weighs the larger of the two losses less would win by that alone. The test sequences take no
part. Every trial is written to a journal as it ends. A search that is started again goes on behind the last whole
trial, and the trial that was cut off resumes from its own state; it ends with the trials it would have had without the
interruption, since the draws of a trial depend on its number, the seed and the trials before it.
"""

import hashlib
import json
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
from nucleotune.evaluation.profile_metrics import LOSS_WEIGHTS
from nucleotune.files import write_json
from nucleotune.frames import write_tsv
from nucleotune.models.weights import library_versions, weights_digest
from nucleotune.profile_contracts import ProfileExamples, examples_digest
from nucleotune.search_space import (
    Space,
    check_space,
    ends_or_choices,
    settings_digest,
    with_parameters,
)
from nucleotune.stages import stage_number
from nucleotune.training.fit import Fitted, fit
from nucleotune.training.gates import Diverged
from nucleotune.training.state import remove_state

logger = logging.getLogger(__name__)

JOURNAL = "trials.journal"


class Tuned(NamedTuple):
    """What a search found.

    best    {"value": validation loss, "trial": number, "parameters": {key: value}, "trials": how many}, and of what
            `tune_profile` found the digests `settings` and `examples`
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

    Arguments not of the search are those of `training.fit.fit`; `state_dir` holds the journal and
    the state of the trial under way. The caller removes it once the result is written. Trials of other examples,
    settings, weights or library versions that lie there are not counted.

    Raises:
        InputError: `space` does not fit the method (`search_space.check_space`), or every trial diverged.
    """

    def loss(parameters: dict[str, Any]) -> float:
        trained = fit(
            examples,
            task="profiles",
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
        return _validation_loss(trained)

    check_space(space, method, "search space")
    of = {
        "settings": settings_digest(method, model, space, seed),
        "examples": examples_digest(examples),
    }
    rests_on = {
        **of,
        "stage_version": stage_number("finetune"),
        "weights": None if checkpoint is None else weights_digest(checkpoint),
        "versions": library_versions(),
    }
    tuned = search(
        loss, space, trials=trials, seed=seed, journal=state_dir / JOURNAL, rests_on=rests_on
    )
    return tuned._replace(best=tuned.best | of)


def search(
    objective: Callable[[dict[str, Any]], float],
    space: Space,
    *,
    trials: int,
    seed: int,
    journal: Path,
    rests_on: Mapping[str, Any] | None = None,
) -> Tuned:
    """Minimise `objective`, a function of {key of `space`: value}, in so many trials, those in `journal` included.

    The objective raises Diverged where its parameters give no value. Trials in the journal that are of another space,
    seed, or of something else that the objective `rests_on` (JSON values), are left alone, and the log says so.

    Raises:
        InputError: `space` is none, or every trial diverged.
    """
    distributions = {key: _distribution(key, values) for key, values in space.items()}
    if not distributions:
        raise InputError("the search space is empty: name at least one key and its values")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    identity = {"space": dict(space), "seed": seed, "rests_on": rests_on}
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    known = optuna.get_all_study_names(storage)
    if known and name not in known:
        logger.warning(
            "%s: its trials are of other settings, data or library versions: the search starts anew",
            journal,
        )
    study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)  # cut off: it is done again, not counted
    begin, first = time.perf_counter(), len(_ended(study))
    for number in range(first, trials):
        study.sampler = optuna.samplers.TPESampler(seed=_seed(seed, number))
        trial = study.ask(distributions)
        try:
            value = objective(_decoded(trial.params, space))
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
    return _result(study, space, trials)


def write_tuned(tuned: Tuned, table: str | Path, best: str | Path) -> None:
    """Write the trials as TSV and the best of them as JSON."""
    write_tsv(table, tuned.trials)
    write_json(best, tuned.best)


def _distribution(key: str, values: Any) -> optuna.distributions.BaseDistribution:
    ends = ends_or_choices(values, f"search space: {key}")
    if isinstance(values, list):
        # Optuna keeps numbers and strings; a list (widths of layers) is neither, its text is.
        return optuna.distributions.CategoricalDistribution([json.dumps(one) for one in values])
    whole = all(isinstance(end, int) for end in ends)
    kind = optuna.distributions.IntDistribution if whole else optuna.distributions.FloatDistribution
    return kind(*ends, log=values.get("log", False))


def _decoded(parameters: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Values of a trial; choices are kept as JSON."""
    return {
        key: json.loads(value) if isinstance(space[key], list) else value
        for key, value in parameters.items()
    }


def _validation_loss(trained: Fitted) -> float:
    """Loss of the weights that were kept, by LOSS_WEIGHTS."""
    rows = trained.training_rows
    kept = rows[(rows["split"] == "valid") & (rows["step"] == trained.summary["best_step"])].iloc[0]
    return float(kept[["profile_loss", "count_loss"]].to_numpy(dtype=np.float64) @ LOSS_WEIGHTS)


def _seed(seed: int, number: int) -> int:
    """Seed of the draws of one trial."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])


def _result(study: optuna.Study, space: Space, trials: int) -> Tuned:
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
            **_decoded(trial.params, space),
        }
        for i, trial in enumerate(ended)
    ]
    parameters = _decoded(ended[best].params, space)
    found = {"value": value, "trial": best, "parameters": parameters, "trials": len(ended)}
    return Tuned(found, pd.DataFrame(rows))
