"""From nucleotides to the token ids of a given model.

`make_tokenizer` is the one way in; `Tokenizer` is what everything behind it needs to know, whatever the kind.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from nucleotune.errors import InputError
from nucleotune.sequence import kmers, sixmers
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.text import read_lines, read_text

VOCABULARY = "vocab.txt"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"

#: Sequences that are at the tokenizers library at a time: it needs some 100 bytes a token, we keep two.
_CHUNK = 1000


Encode = Callable[[Sequence[str], Sequence[str], str | None], TokenizedSequences]


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer of one model.

    encode          (ids, sequences, truncation) -> TokenizedSequences: upper-case `sequences`, cut at the side
                    `truncation` (right, left, centre) to the model's max_tokens, or whole if it is None; `ids` serve
                    error messages. Raises InputError for a sequence too short to give a single token (names it)
    letters         (sequence, start, position) -> letters under the token at `position` (0 = the first special one)
                    of a `sequence` whose kept window begins at nucleotide `start`
    pad_id          fills a batch up to its longest sequence
    unknown_id      stands for letters the model does not know
    special_tokens  of every sequence: [CLS] and the like, a species token included
    leading_tokens  those of them that come first
    vocabulary      all tokens in the order of their ids; None where only `files` tell
    files           name -> text of the files from which `make_tokenizer` and transformers' AutoTokenizer make it again
    """

    encode: Encode
    letters: Callable[[str, int, int], str]
    pad_id: int
    unknown_id: int
    special_tokens: int
    leading_tokens: int
    vocabulary: list[str] | None
    files: dict[str, str]


def make_tokenizer(model: dict[str, Any], directory: str | Path | None = None) -> Tokenizer:
    """The tokenizer of `model` (see `models.spec`).

    Args:
        model: validated dict.
        directory: the model's checkpoint or model directory. Kind `file` reads its tokenizer.json, a species token
            is looked up in its vocab.txt. The other kinds need none, but where there is a vocab.txt, it must hold
            their tokens in their order.

    Raises:
        InputError: the tokenizer's file is missing, broken, or not the model's; the species is unknown (names the
            nearest ones).
    """
    directory = None if directory is None else Path(directory)
    make = {"kmer": _kmer, "sixmer": _sixmer, "single": _single, "file": _file}
    return make[model["tokenizer"]["kind"]](model, directory)


def _cut(model: dict[str, Any], encode: Callable[..., TokenizedSequences]) -> Encode:
    """`Tokenizer.encode` from a function that takes the limit as `max_tokens`."""

    def cut(
        ids: Sequence[str], sequences: Sequence[str], truncation: str | None
    ) -> TokenizedSequences:
        limit = None if truncation is None else model["max_tokens"]
        return encode(ids, sequences, max_tokens=limit, truncation=truncation or "right")

    return cut


def _kmer(model: dict[str, Any], directory: Path | None) -> Tokenizer:
    k, species = model["tokenizer"]["k"], model["tokenizer"].get("species")
    own = kmers.kmer_vocabulary(k)
    vocabulary = _read_vocabulary(directory, own)
    special, extra, species_id = 2, {}, None
    if species is not None:
        species_id = _species_id(model, species, vocabulary or [], own, directory)
        # Unless registered as special, transformers would split the name at its underscores.
        special, extra = 3, {"extra_special_tokens": [species]}

    def letters(sequence: str, start: int, position: int) -> str:
        first = start + position - (special - 1)
        return sequence[first : first + k]

    encode = _cut(model, partial(kmers.encode_kmers, k=k, species_id=species_id))

    files = _bert_files(model, vocabulary or own, extra)
    return Tokenizer(
        encode, letters, kmers.PAD, kmers.UNK, special, special - 1, vocabulary or own, files
    )


def _single(model: dict[str, Any], directory: Path | None) -> Tokenizer:
    own = kmers.single_vocabulary()
    vocabulary = _read_vocabulary(directory, own) or own

    def letters(sequence: str, start: int, position: int) -> str:
        return sequence[start + position - 1]

    encode = _cut(model, kmers.encode_singles)
    files = _bert_files(model, vocabulary, {})
    return Tokenizer(encode, letters, kmers.PAD, kmers.UNK, 2, 1, vocabulary, files)


def _sixmer(model: dict[str, Any], directory: Path | None) -> Tokenizer:
    vocabulary = sixmers.sixmer_vocabulary()
    _read_vocabulary(directory, vocabulary)

    encode = _cut(model, sixmers.encode_sixmers)
    config = {
        "tokenizer_class": "EsmTokenizer",
        # Its default would end every sequence with an id that the embedding has no row for.
        "eos_token": None,
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "cls_token": "<cls>",
        "model_max_length": model["max_tokens"],
    }
    files = {VOCABULARY: _lines(vocabulary), TOKENIZER_CONFIG: _json(config)}
    return Tokenizer(
        encode, sixmers.sixmer_letters, sixmers.PAD, sixmers.UNK, 1, 1, vocabulary, files
    )


def _file(model: dict[str, Any], directory: Path | None) -> Tokenizer:
    if directory is None:
        raise InputError(
            f"model {model['title']!r}: tokenizer kind 'file' needs a checkpoint that holds a {TOKENIZER}"
        )
    path = directory / TOKENIZER
    with _named(path):
        return _from_backend(path, _read_backend(path), model)


def _from_backend(path: Path, backend: tokenizers.Tokenizer, model: dict[str, Any]) -> Tokenizer:
    pad_id, unknown_id = (
        _special_id(path, backend, f"[{name.upper()}]", f"<{name}>") for name in ("pad", "unk")
    )
    _check_backend(path, backend, model, unknown_id)
    probe = backend.encode("A")
    content = [i for i, is_special in enumerate(probe.special_tokens_mask) if not is_special]
    if not content:
        raise InputError(f"{path}: it gives no token for the letter A; not a tokenizer of DNA")
    leading, trailing = probe.ids[: content[0]], probe.ids[content[-1] + 1 :]
    if not leading:
        raise InputError(
            f"{path}: its post_processor puts no special token in front, such as [CLS], which a classifier reads"
        )

    foreign = [i for i in (*leading, *trailing) if i >= model["architecture"]["vocab_size"]]
    if foreign:
        raise InputError(
            f"{path}: its post_processor adds token {foreign[0]}, which the model does not have"
        )

    def letters(sequence: str, start: int, position: int) -> str:
        spans = backend.encode(sequence, add_special_tokens=False).offsets
        first = next(i for i, (begin, _) in enumerate(spans) if begin == start)
        begin, end = spans[first + position - len(leading)]
        return sequence[begin:end]

    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model["max_tokens"],
        "pad_token": backend.id_to_token(pad_id),
        "unk_token": backend.id_to_token(unknown_id),
        "cls_token": backend.id_to_token(leading[0]),
    }
    return Tokenizer(
        _cut(model, partial(_encode_file, path, backend, leading, trailing, pad_id)),
        letters,
        pad_id,
        unknown_id,
        len(leading) + len(trailing),
        len(leading),
        None,
        {TOKENIZER: backend.to_str(pretty=True), TOKENIZER_CONFIG: _json(config)},
    )


def _encode_file(
    path: Path,
    backend: tokenizers.Tokenizer,
    leading: list[int],
    trailing: list[int],
    pad_id: int,
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    max_tokens: int | None,
    truncation: str,
) -> TokenizedSequences:
    """Encode whole sequences, then cut tokens: a cut before would change the tokens next to it."""
    special = len(leading) + len(trailing)
    kmers.check_request(
        ids, sequences, max_tokens, truncation, special=special, shortest=1, of="tokens"
    )
    starts = np.zeros(len(sequences), dtype=np.int64)
    truncated = np.zeros(len(sequences), dtype=bool)
    encoded: list[np.ndarray] = []
    for begin in range(0, len(sequences), _CHUNK):
        chunk = list(sequences[begin : begin + _CHUNK])
        with _named(path):
            encodings = backend.encode_batch(chunk, add_special_tokens=False)
        for i, encoding in enumerate(encodings, begin):
            content = encoding.ids
            cut = 0 if max_tokens is None else max(0, len(content) + special - max_tokens)
            first = {"right": 0, "left": cut, "centre": cut // 2}[truncation]
            if first:
                starts[i] = encoding.offsets[first][0]
            truncated[i] = cut > 0
            kept = content[first : first + len(content) - cut]
            encoded.append(np.array([*leading, *kept, *trailing], dtype=np.uint16))
    offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum([len(tokens) for tokens in encoded], out=offsets[1:])
    tokens = np.concatenate([np.empty(0, dtype=np.uint16), *encoded])
    return TokenizedSequences(tokens, offsets, starts, truncated, pad_id)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Around the tokenizers library at work on a file: what it raises, its panics too, names the file."""
    try:
        yield
    except InputError:
        raise
    except BaseException as error:  # a panic is no Exception; the library raises nothing narrower
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise InputError(
            f"{path}: not a file of the tokenizers library, or a broken one ({str(error)[:200]})"
        ) from None


def _read_backend(path: Path) -> tokenizers.Tokenizer:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; the model's tokenizer is read from it. Get the checkpoint again"
        )
    text = read_text(path)
    _check_levels(path, text)
    backend = tokenizers.Tokenizer.from_str(text)
    backend.no_padding()
    backend.no_truncation()
    return backend


def _check_levels(path: Path, text: str) -> None:
    """Raise InputError for what is no JSON object; the library takes some of it for a tokenizer without tokens."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not a file of the tokenizers library, or a broken one ({error})"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise InputError(f"{path}: not a file of the tokenizers library: it has no 'model'")


def _check_backend(
    path: Path, backend: tokenizers.Tokenizer, model: dict[str, Any], unknown_id: int
) -> None:
    """Raise InputError if the tokenizer is none for DNA, or not that of `model`."""
    title = model["title"]
    if getattr(backend.model, "dropout", None):
        raise InputError(f"{path}: its model has dropout: set it to null, so that ids do not vary")
    if backend.encode("!", add_special_tokens=False).ids != [unknown_id]:
        raise InputError(
            f"{path}: a letter that it does not know gives no unknown token: it could pass unnoticed. Set the "
            f"unk_token of its model, and no normalizer that drops letters"
        )
    largest = max(backend.get_vocab(with_added_tokens=True).values(), default=0)
    if largest >= model["architecture"]["vocab_size"]:
        raise InputError(
            f"{path}: its largest token id is {largest}, but model {title!r} has architecture.vocab_size "
            f"{model['architecture']['vocab_size']}: not the tokenizer of this model"
        )


def _special_id(path: Path, backend: tokenizers.Tokenizer, *names: str) -> int:
    for name in names:
        if (token_id := backend.token_to_id(name)) is not None:
            return token_id
    raise InputError(f"{path}: it has no token {' or '.join(names)}, which is needed")


def _read_vocabulary(directory: Path | None, own: list[str]) -> list[str] | None:
    """Lines of the vocab.txt in `directory`, which must begin with `own`; None if there is none."""
    if directory is None or not (path := directory / VOCABULARY).is_file():
        return None
    # As BertTokenizer and EsmTokenizer read it: a token's id is the number of its line, from 0.
    found = [line.strip() for _, line in read_lines(path)]
    while found and not found[-1]:
        found.pop()
    for i, (expected, token) in enumerate(zip_longest(own, found[: len(own)])):
        if token != expected:
            raise InputError(
                f"{path}: token {i} is {token!r}, expected {expected!r} ({len(own)} tokens in the order of their ids): "
                f"not the vocabulary of this model's tokenizer, or not a whole one"
            )
    return found


def _species_id(
    model: dict[str, Any],
    species: str,
    vocabulary: list[str],
    own: list[str],
    directory: Path | None,
) -> int:
    """Id of the token of `species`, one of those that follow the k-mers in `vocabulary`."""
    title = model["title"]
    names = vocabulary[len(own) :]
    if not names:
        where = (
            "no checkpoint is given" if directory is None else f"{directory / VOCABULARY} has none"
        )
        raise InputError(
            f"model {title!r}: the token of species {species!r} is to be found in the checkpoint's {VOCABULARY}, "
            f"after the k-mers, but {where}"
        )
    if species not in names:
        like = species.strip().lower().replace(" ", "_").replace("-", "_")
        near = difflib.get_close_matches(like, names, n=5, cutoff=0.5)
        hint = "nearest" if near else "among those it has"
        raise InputError(
            f"model {title!r}: its vocabulary has no species {species!r} ({hint}: {', '.join(near or names[:5])}); "
            f"choose one of the {len(names)} names at the end of {directory / VOCABULARY}"
        )
    if names.count(species) > 1:
        raise InputError(
            f"{directory / VOCABULARY}: token {species!r} occurs {names.count(species)} times; expected once"
        )
    rows = model["architecture"]["vocab_size"]
    if len(vocabulary) > rows:
        raise InputError(
            f"{directory / VOCABULARY}: {len(vocabulary)} tokens, but model {title!r} has architecture.vocab_size "
            f"{rows}; raise it to the number of rows of the checkpoint's token embedding"
        )
    return vocabulary.index(species)


def _bert_files(
    model: dict[str, Any], vocabulary: list[str], extra: dict[str, Any]
) -> dict[str, str]:
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,  # transformers' default would turn every k-mer into [UNK]
        "model_max_length": model["max_tokens"],
    }
    return {VOCABULARY: _lines(vocabulary), TOKENIZER_CONFIG: _json(config | extra)}


def _lines(vocabulary: list[str]) -> str:
    return "".join(f"{token}\n" for token in vocabulary)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
