"""From the published files of a model to a checkpoint directory that loads without remote code and without pickles.

resources/checkpoints/<model>/
    model.safetensors    every published tensor under its published name (see `prepare_checkpoint`)
    config.json          family and sizes of the encoder, nothing else: no `auto_map`, no task settings
    vocab.txt, tokenizer.json ...   as published
    checkpoint.json      where all this came from, and the sha256 of every file read and written
"""

import json
import logging
import pickle
import re
import shutil
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

import nucleotune
from nucleotune.bounds import most_unpacked, unpacks_to_too_much
from nucleotune.errors import InputError
from nucleotune.files import (
    check_new_directory,
    describe_file,
    is_file_name,
    new_directory,
    read_json,
    write_json,
)
from nucleotune.models.architecture import (
    contradictions,
    published_architecture,
    resolve_architecture,
)
from nucleotune.models.families import FAMILIES
from nucleotune.models.spec import check_model
from nucleotune.models.tokenizers import TOKENIZER, VOCABULARY, make_tokenizer
from nucleotune.models.weights import check_numbers
from nucleotune.text import read_lines, read_text

logger = logging.getLogger(__name__)

RECORD = "checkpoint.json"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"

#: Embeddings are padded to a multiple of 64 or 128 rows; more rows without a token mean another model's vocabulary.
MOST_UNUSED_ROWS = 127

#: Rows that the published six-mer vocabulary has too many: <eos> and <bos>, which its encoder cannot embed.
_SURPLUS = {"sixmer": 2}

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def prepare_checkpoint(
    model_name: str,
    model: dict[str, Any],
    files: Mapping[str, Path],
    output: str | Path,
    *,
    commit: str | None = None,
) -> dict[str, Any]:
    """Write the checkpoint directory `output`, whole or not at all, from a model's published files.

    Weights keep their published names, except that LayerNorm's `gamma` and `beta` of early BERTs become `weight` and
    `bias`, and `embeddings.position_ids` (a counter, no weight) is dropped. Pickled `.bin` files are read with
    `weights_only=True`: tensors come out of them, and no code is run. Same files and versions, same bytes.

    Args:
        model_name: name of the model file; goes into the record.
        model: validated dict, see `models.spec`; an `architecture` of None is taken from config.json.
        files: name in `checkpoint.files` -> where it lies. A `<path>.meta.json` of the download beside it is
            required to state the same sha256.
        output: the directory to be written; an older checkpoint there is replaced, nothing else.
        commit: the hub's commit, where it is known. It is recorded unless a `<path>.meta.json` says that the file
            came from a mirror's directory for the revision's name: nobody knows which commit that was.

    Returns:
        What is written to checkpoint.json.

    Raises:
        InputError: a file is missing, is broken, holds pickled code, or contradicts the model's fields (which are
            named), or the vocabulary does not fit tokenizer or embedding.
    """
    output, checkpoint = Path(output), model["checkpoint"]
    check_new_directory(output, RECORD)
    by_name = {Path(name).name: Path(path) for name, path in files.items()}
    sources = [_describe_source(name, path) for name, path in sorted(by_name.items())]
    if commit is not None and not all(_is_of_commit(path, commit) for path in by_name.values()):
        logger.warning(
            "%s: from a mirror's directory %r; not recorded as commit %s",
            *(model_name, checkpoint["revision"], commit),
        )
        commit = None
    config = _read_config(by_name[CONFIG])
    architecture = _agreed_architecture(model, config, by_name[CONFIG])
    model = check_model({**model, "architecture": architecture})
    weight_files = [n for n in sorted(by_name) if n.endswith((".safetensors", ".bin"))]
    renamed = FAMILIES[model["family"]].renamed
    weights, dropped = _read_weights([by_name[name] for name in weight_files], renamed)
    _check_embedding(weights, architecture, by_name[weight_files[0]])
    with new_directory(output, RECORD) as temporary:
        write_json(temporary / CONFIG, {"family": model["family"], **architecture})
        for name in sorted(by_name.keys() - {CONFIG, *weight_files}):
            shutil.copyfile(by_name[name], temporary / name)
        _check_vocabulary(model, temporary, by_name)
        safetensors.torch.save_file(weights, temporary / WEIGHTS, metadata={"format": "pt"})
        # save_file() makes its file readable by the owner alone, which a shared project folder is not.
        shutil.copymode(temporary / CONFIG, temporary / WEIGHTS)
        record = {
            "model": model_name,
            "hub": checkpoint["hub"],
            "revision": checkpoint["revision"],
            "commit": commit,
            "path": checkpoint["path"],
            "licence": model["licence"],
            "non_commercial": model["non_commercial"],
            "tensors": len(weights),
            "dropped": dropped,
            "sources": sources,
            "files": [_describe(path) for path in sorted(temporary.iterdir())],
            "versions": {
                "nucleotune": nucleotune.__version__,
                "torch": version("torch"),
                "safetensors": version("safetensors"),
            },
        }
        write_json(temporary / RECORD, record)
    logger.info("%s: %d tensors; dropped: %s", output, len(weights), ", ".join(dropped) or "none")
    return record


def verify_checkpoint(directory: str | Path, model: dict[str, Any] | None = None) -> dict[str, Any]:
    """Check every file of a checkpoint directory against checkpoint.json; return what that holds.

    model: the model that is about to be built from it; its hub, revision and path must be those recorded.

    Raises:
        InputError: no checkpoint there, a file is missing or has another sha256 (both are named), or it was made from
            another repository, revision or directory.
    """
    directory = Path(directory)
    if not (directory / RECORD).is_file():
        raise InputError(
            f"{directory}: no {RECORD} there: not a checkpoint directory, or not a whole one"
        )
    record = read_json(directory / RECORD)
    mend = f"delete {directory} and run the rule 'checkpoint' again"
    listed = record.get("files") if isinstance(record, dict) else None
    if not isinstance(listed, list) or not all(map(_is_entry, listed)):
        raise InputError(
            f"{directory / RECORD}: damaged: no list of files with their sha256; {mend}"
        )
    for file in listed:
        path = directory / file["file"]
        if not path.is_file():
            raise InputError(f"{path}: missing, though {RECORD} lists it; {mend}")
        found = describe_file(path)["sha256"]
        if found != file["sha256"]:
            raise InputError(
                f"{path}: sha256 is {found}, but {RECORD} recorded {file['sha256']}: the file changed; {mend}"
            )
    if model is not None:
        for key in ("hub", "revision", "path"):
            if record.get(key) != model["checkpoint"][key]:
                raise InputError(
                    f"{directory}: made from {key} {record.get(key)!r}, but model {model['title']!r} has "
                    f"{model['checkpoint'][key]!r}; {mend}"
                )
    return record


def complete_model(model: dict[str, Any], directory: str | Path) -> dict[str, Any]:
    """`model` with the architecture of its checkpoint directory where its own is None; checked."""
    if model["architecture"] is not None:
        return check_model(model)
    path = Path(directory) / CONFIG
    config = _read_config(path)
    if config.pop("family", None) != model["family"]:
        raise InputError(f"{path}: not of family {model['family']!r}; make the checkpoint again")
    return check_model({**model, "architecture": resolve_architecture(model["family"], config)})


def _is_entry(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and is_file_name(value.get("file"))
        and isinstance(value.get("sha256"), str)
    )


def _describe(path: Path) -> dict[str, Any]:
    described = describe_file(path)
    return {"file": path.name, "bytes": described["bytes"], "sha256": described["sha256"]}


def _describe_source(name: str, path: Path) -> dict[str, Any]:
    """Name, size and sha256 of a published file, once it is known to be one."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, but checkpoint.files has {name}")
    with path.open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise InputError(
                f"{path}: a Git LFS pointer, not the file; run `git lfs pull` in that clone, or download the file"
            )
    described = _describe(path)
    beside = path.with_name(f"{path.name}.meta.json")
    if beside.is_file() and (expected := _fetched(beside).get("sha256")) != described["sha256"]:
        raise InputError(
            f"{path}: sha256 is {described['sha256']}, but {beside.name} recorded {expected} at the download: the file "
            f"changed; delete it, so that it is fetched again"
        )
    return {**described, "file": name}


def _is_of_commit(path: Path, commit: str) -> bool:
    """False where the metadata of the download name another directory than that of `commit`."""
    beside = path.with_name(f"{path.name}.meta.json")
    return not beside.is_file() or f"/{commit}/" in str(_fetched(beside).get("url", f"/{commit}/"))


def _fetched(path: Path) -> dict[str, Any]:
    """What was noted at a download."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path}: damaged: no JSON object; delete it and the file beside it")
    return found


def _read_config(path: Path) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ValueError(f"key {max(keys, key=keys.count)!r} is given twice")
        return dict(pairs)

    text = read_text(path)
    try:
        config = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}); fetch it again") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(config).__name__}")
    return config


def _agreed_architecture(
    model: dict[str, Any], config: dict[str, Any], path: Path
) -> dict[str, Any]:
    """The architecture that model file and config.json agree on."""
    family, architecture = model["family"], model["architecture"]
    if architecture is None:
        try:
            architecture = published_architecture(family, config)
        except InputError as error:
            raise InputError(f"{path}: {error}; write 'architecture' in the model file") from None
    found = contradictions(family, architecture, config)
    if found:
        raise InputError(
            f"{path}: contradicts model {model['title']!r} (family {family!r}): {'; '.join(found)}"
        )
    return architecture


def _read_weights(
    paths: list[Path], renamed: Mapping[str, str]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """All tensors of a model's weight files under the names we keep, and the names that were dropped."""
    weights: dict[str, torch.Tensor] = {}
    dropped: list[str] = []
    storages: set[int] = set()
    for path in paths:
        tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
        check_numbers(path, tensors)
        for published, tensor in sorted(tensors.items()):
            if published.endswith("embeddings.position_ids"):
                dropped.append(published)
                continue
            name = published
            for old, new in renamed.items():
                name = re.sub(rf"{re.escape(old)}$", new, name)
            if name in weights:
                raise InputError(f"{path}: tensor {name!r} occurs twice")
            tensor = tensor.detach().contiguous()
            # A tied weight (the decoder's matrix is the embedding) is one tensor with two names; safetensors wants two.
            address = tensor.untyped_storage().data_ptr()
            weights[name] = tensor.clone() if address in storages else tensor
            storages.add(address)
    return weights, dropped


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: broken or truncated ({error}); fetch it again") from error


def _read_pickled(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a `.bin` file, today's format (a zip file) or that of before PyTorch 1.6."""
    zipped = zipfile.is_zipfile(path)
    if zipped:
        # torch does not look at the checksums: a flipped bit would become a weight.
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > most_unpacked():
                raise InputError(f"{path}: {unpacks_to_too_much()}")
            if damaged := _damaged_member(archive):
                raise InputError(f"{path}: damaged at {damaged!r}; fetch it again")
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        # torch's own message advises to switch the protection off.
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"a call of {named[1]}" if named else "something other than tensors"
        raise InputError(
            f"{path}: refused: it holds {what}. Pickled code is never run here; ask its authors for a safetensors "
            f"file, or a plain state dict"
        ) from None
    except Exception as error:  # a broken file ends in whatever the reader stumbles over
        raise InputError(
            f"{path}: broken or truncated ({type(error).__name__}: {error}); fetch it again"
        ) from error
    if not isinstance(tensors, dict):
        raise InputError(f"{path}: expected a state dict, found {type(tensors).__name__}")
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise InputError(
                f"{path}: expected a state dict of tensors; entry {name!r} is a {type(value).__name__}"
            )
    return tensors


def _damaged_member(archive: zipfile.ZipFile) -> str | None:
    try:
        return archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        return str(error)


def _check_embedding(
    weights: dict[str, torch.Tensor], architecture: dict[str, Any], path: Path
) -> None:
    """The rest of the shapes is checked on loading; this one has its own message, because a plug-in gets it wrong."""
    for name, tensor in weights.items():
        rows = architecture["vocab_size"]
        if name.endswith("embeddings.word_embeddings.weight") and tensor.shape[0] != rows:
            raise InputError(
                f"{path}: {name} has {tensor.shape[0]} rows, but architecture.vocab_size is {rows}"
            )


def _check_vocabulary(model: dict[str, Any], directory: Path, files: Mapping[str, Path]) -> None:
    """Does the published vocabulary fit the tokenizer (ids and their order) and the rows of the embedding?"""
    kind, rows = model["tokenizer"]["kind"], model["architecture"]["vocab_size"]
    name = TOKENIZER if kind == "file" else VOCABULARY
    try:
        tokenizer = make_tokenizer(model, directory)
    except InputError as error:
        # It names the copy, which will be gone.
        raise InputError(str(error).replace(str(directory / name), str(files[name]))) from None
    if kind == "file":
        tokens = len(json.loads(tokenizer.files[TOKENIZER])["model"]["vocab"])
    else:
        tokens = sum(bool(line.strip()) for _, line in read_lines(directory / name))
    if not rows - MOST_UNUSED_ROWS <= tokens <= rows + _SURPLUS.get(kind, 0):
        raise InputError(
            f"{files[name]}: {tokens} tokens, but model {model['title']!r} has architecture.vocab_size {rows}: not the "
            f"vocabulary of this model, or not a whole one"
        )
