"""Training runs as files: what a cluster job is given, and what it leaves behind.

Run as a module, it is what torchrun starts in each process of a job with several GPUs.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.files import read_json, write_json
from nucleotune.frames import write_tsv
from nucleotune.models.weights import weights_kept
from nucleotune.scripting import LOG_FORMAT
from nucleotune.training import parallel
from nucleotune.training.fit import fit
from nucleotune.training.kinds import learner_class
from nucleotune.training.state import remove_state

logger = logging.getLogger(__name__)

REQUEST = "request.json"

#: Kind of result -> name of its file in the directory of a training.
RESULTS = {
    "predictions": "predictions.parquet",
    "model": "model",
    "training": "training.tsv",
    "summary": "training.json",
}


@dataclass(frozen=True)
class Run:
    """One training: its data set, names of its classes, labels or targets, what it starts from (or None), its files."""

    dataset: str
    labels: Sequence[str] | None
    examples: str
    start_from: str | None
    checkpoint: str | None
    state: str
    model: str
    predictions: str
    training: str
    summary: str


@dataclass(frozen=True)
class Settings:
    """What all runs of a job have in common; `task` is the kind of labels, `device` that of `devices.granted`."""

    task: str
    method: dict[str, Any]
    model: dict[str, Any] | None
    seed: int
    threads: int
    device: str


def train(run: Run, settings: Settings, processes: int = 1) -> None:
    """Train one model, on as many GPUs as there are `processes`, and write its results.

    Args:
        run: its state is removed once its results are written.
        settings: `threads` are those of the whole job.
        processes: on GPUs as many as there are, if fewer.

    Raises:
        InputError: see `fit.fit`.
    """
    usable = parallel.usable_processes(processes) if settings.device == "cuda" else processes
    if usable < processes:
        logger.warning("%d GPUs were asked for, %d are here: training on those", processes, usable)
    if usable == 1:
        _train(run, settings)
    else:
        own = replace(settings, threads=max(1, settings.threads // usable))
        request = Path(run.state) / REQUEST
        write_json(request, {"run": asdict(run), "settings": asdict(own)})
        parallel.launch(usable, __name__, str(request))
    remove_state(run.state)


def train_several(runs: Sequence[Run], settings: Settings) -> None:
    """Train one model after the other in this process: starting up and reading the weights are paid once.

    A run that fails does not keep the others from being trained. All states are kept until there is no failure: the
    next call then finds at once what has been trained to the end.

    Raises:
        InputError: at the end, names the data sets whose training failed.
    """
    failed = []
    with weights_kept():
        for number, run in enumerate(runs, start=1):
            logger.info("%s (%d of %d)", run.dataset, number, len(runs))
            try:
                _train(run, settings)
            except InputError as error:
                logger.error("%s: %s", run.dataset, error)
                failed.append(run.dataset)
            # Whatever it is, such as memory that ran out. Being told to stop is no Exception, and stops here.
            except Exception:
                logger.exception("%s: failed", run.dataset)
                failed.append(run.dataset)
    if failed:
        raise InputError(
            f"{len(failed)} of {len(runs)} trainings failed: {', '.join(failed)}; the reasons stand above. The others "
            f"are not trained again"
        )
    for run in runs:
        remove_state(run.state)


def _train(run: Run, settings: Settings) -> None:
    kind = learner_class(settings.task)
    fitted = fit(
        kind.read(run.examples),
        **vars(settings),
        start_from=Path(run.start_from) if run.start_from else None,
        checkpoint=Path(run.checkpoint) if run.checkpoint else None,
        state_dir=Path(run.state),
        output_dir=Path(run.model),
        labels=run.labels,
    )
    if parallel.rank() > 0:
        return
    kind.write(run.predictions, fitted.predictions)
    write_tsv(run.training, fitted.training_rows)
    write_json(run.summary, fitted.summary)


def main(request: str) -> None:
    """Take part in the run that the file `request` describes."""
    values = read_json(request)
    settings = Settings(**values["settings"])
    with parallel.group(settings.device):
        level = logging.INFO if parallel.rank() == 0 else logging.ERROR
        logging.basicConfig(level=level, **LOG_FORMAT)
        try:
            _train(Run(**values["run"]), settings)
        except InputError as error:
            sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
