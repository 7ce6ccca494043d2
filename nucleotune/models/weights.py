"""The weights of any model, and the directory that they and its description lie in. No transformers here.

Importing transformers takes several times as long as a small network needs for its work.
"""

import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

import nucleotune
from nucleotune.errors import InputError
from nucleotune.files import file_digest, is_file_name, read_json, write_json
from nucleotune.models.names import DESCRIPTION, WEIGHTS

#: Most weights that one error message names.
MOST_NAMES = 30


def count_parameters(module: torch.nn.Module) -> dict[str, int]:
    """Number of parameters: `total` and `trainable`; the copy that peft keeps of a head it trains is not counted."""
    sizes = [
        (parameter.numel(), parameter.requires_grad)
        for name, parameter in module.named_parameters()
        if ".original_module." not in name
    ]
    return {
        "total": sum(n for n, _ in sizes),
        "trainable": sum(n for n, trainable in sizes if trainable),
    }


def write_weights(
    directory: Path, module: torch.nn.Module, metadata: dict[str, str] | None = None
) -> None:
    """Write all weights of `module` to a model directory; `metadata` goes into the file's header."""
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()
    }
    # Not save_file(): it makes the file readable by its owner alone, which a shared project folder is not.
    (directory / WEIGHTS).write_bytes(safetensors.torch.save(weights, metadata=metadata))


def load_weights(module: torch.nn.Module, directory: str | Path) -> None:
    """Give `module` the weights of a model directory, all of them and no others.

    Raises:
        InputError: the file is broken, holds what is no finite number, or weights are missing, superfluous or of
            another shape (lists them).
    """
    source, own = Path(directory) / WEIGHTS, module.state_dict()
    weights = read_weights(source)
    check_numbers(source, weights)
    check_weights(
        source,
        missing=own.keys() - weights.keys(),
        unexpected=weights.keys() - own.keys(),
        own=own,
        weights=weights,
    )
    module.load_state_dict(weights)


def write_description(directory: Path, description: dict[str, Any]) -> None:
    """Write the description into a model directory, with the sha256 of all files that are there: to be called last."""
    files = {path.name: file_digest(path) for path in sorted(directory.iterdir()) if path.is_file()}
    write_json(directory / DESCRIPTION, {**description, "files": files})


def read_description(directory: str | Path) -> dict[str, Any]:
    """The description in a model directory, once every file that it lists has proved to be unchanged.

    Raises:
        InputError: it is not there or damaged, the weights are not there, or a file has changed.
    """
    directory = Path(directory)
    for name in (DESCRIPTION, WEIGHTS):
        if not (directory / name).is_file():
            raise InputError(
                f"{directory}: no {name} there: not a model directory of nucleotune, or not a whole one"
            )
    description = read_json(directory / DESCRIPTION)
    if not isinstance(description, dict):
        raise InputError(
            f"{directory / DESCRIPTION}: no JSON object; make or copy the directory again"
        )
    files = description.pop("files", {})
    if not isinstance(files, dict) or not all(map(is_file_name, files)):
        raise InputError(
            f"{directory / DESCRIPTION}: files: expected names of files and their sha256; make or copy the directory"
            " again"
        )
    for name, expected in files.items():
        path = directory / name
        if not path.is_file():
            raise InputError(
                f"{path}: no such file, but {DESCRIPTION} lists it; make or copy the directory again"
            )
        if (found := file_digest(path)) != expected:
            raise InputError(
                f"{path}: sha256 is {found}, but {DESCRIPTION} recorded {expected}: the file changed or is damaged; "
                f"make or copy the directory again"
            )
    return description


#: Weights that `weights_kept` keeps, by file; None outside.
_kept: dict[Path, dict[str, torch.Tensor]] | None = None


@contextmanager
def weights_kept() -> Iterator[None]:
    """Within the block, a file of weights is read once, however many models start from it; it must not change."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file."""
    if _kept is not None and path in _kept:
        return _kept[path]
    weights = _read_safetensors(path)
    if _kept is not None:
        _kept[path] = weights
    return weights


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; make or copy the directory again")
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: broken file ({error}); make or copy it again") from error


def check_numbers(source: Path, weights: dict[str, torch.Tensor]) -> None:
    """Raise InputError if one of `weights` holds NaN or an infinite number: no prediction could come of it."""
    broken = [
        name
        for name, tensor in weights.items()
        if tensor.is_floating_point() and not tensor.isfinite().all()
    ]
    if broken:
        raise InputError(
            f"{source}: not all numbers are finite in {len(broken)} of {len(weights)} weights: {_first(broken)}; make "
            f"or fetch it again, or train with a lower learning rate"
        )


def check_weights(
    source: Path,
    *,
    missing: Collection[str],
    unexpected: Collection[str],
    own: dict[str, torch.Tensor],
    weights: dict[str, torch.Tensor],
) -> None:
    """Raise InputError if `missing` or `unexpected` names anything, or shapes of `weights` are not those of `own`."""
    shapes = {
        f"{name} {tuple(weights[name].shape)} where the model has {tuple(own[name].shape)}"
        for name in own.keys() & weights.keys()
        if own[name].shape != weights[name].shape
    }
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    if any(problems.values()):
        lists = "; ".join(
            f"{kind} ({len(names)}): {_first(names)}" for kind, names in problems.items() if names
        )
        raise InputError(
            f"{source}: weights do not fit the model's family and architecture. {lists}"
        )


def _first(names: Collection[str]) -> str:
    """The first of `names`, sorted, and how many there are besides."""
    text = ", ".join(sorted(names)[:MOST_NAMES])
    return text if len(names) <= MOST_NAMES else f"{text} and {len(names) - MOST_NAMES} more"


def weights_digest(directory: str | Path) -> str:
    """sha256 of the weights in a model or checkpoint directory."""
    return file_digest(Path(directory) / WEIGHTS)


def library_versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    libraries = ("torch", "transformers", "peft", "numpy")
    return {
        "nucleotune": nucleotune.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }
