"""The tokenizer of each kind of model: golden cases, transformers' own as reference, and files that do not fit."""

import json

import numpy as np
import pytest
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from nucleotune.errors import InputError
from nucleotune.models.spec import check_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.kmers import kmer_vocabulary
from nucleotune.sequence.sixmers import sixmer_vocabulary

SPECIES = [
    "saccharomyces_paradoxus_gca_002079055",
    "candida_glabrata",
    "schizosaccharomyces_pombe",
    "kazachstania_africana_cbs_2517_gca_000304475",
]
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
ROWS = {"sixmer": 4105, "single": 10, "file": 4096}


def make_model(kind="kmer", k=None, species=None, **changes):
    rows = ROWS.get(kind) or (5504 if species else 5 + 4**k)
    family = {"sixmer": "esm", "file": "dnabert2"}.get(kind, "bert")
    model = {
        "title": "a model",
        "family": family,
        "tokenizer": {"kind": kind, "k": k, "species": species},
        "max_tokens": 512,
        "architecture": {
            "vocab_size": rows,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
        },
    }
    if family != "dnabert2":
        model["architecture"]["max_position_embeddings"] = 1002
    return model | changes


def encode(model, sequences, truncation="right", directory=None):
    ids = [f"r{i}" for i in range(len(sequences))]
    encoded = make_tokenizer(model, directory).encode(ids, sequences, truncation)
    ends = encoded.offsets[1:]
    return encoded, [part.tolist() for part in np.split(encoded.tokens, ends[:-1])]


def random_sequences(n, longest, letters="ACGT", seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), rng.integers(7, longest))) for _ in range(n)]


def write(directory, files):
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


@pytest.fixture(scope="module")
def species_dir(tmp_path_factory):
    """Holds a vocab.txt like SpeciesLM's: 6-mers, then species."""
    lines = [*kmer_vocabulary(6), *SPECIES]
    return write(tmp_path_factory.mktemp("specieslm"), {"vocab.txt": "\n".join(lines) + "\n"})


@pytest.fixture(scope="module")
def bpe_dir(tmp_path_factory):
    """Holds a tokenizer.json like DNABERT-2's, special ids as published, trained on random repeats."""
    rng = np.random.default_rng(0)
    units = random_sequences(40, 12)
    corpus = ["".join(rng.choice(units, 40)) for _ in range(100)]
    backend = tokenizers.Tokenizer(BPE(unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    backend.train_from_iterator(
        corpus, BpeTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    )
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    # As published files may be: settings of whoever saved them, which must not leak into ours.
    backend.enable_truncation(9)
    backend.enable_padding(pad_id=3, pad_token="[PAD]", length=20)
    return write(tmp_path_factory.mktemp("bpe"), {"tokenizer.json": backend.to_str()})


@pytest.mark.parametrize(
    ("model", "sequence", "expected"),
    [
        (make_model(k=3), "ACGTAC", [2, 16, 50, 57, 23, 3]),
        (make_model(k=3), "UACGU", [2, 1, 16, 1, 3]),
        (make_model(k=6), "ACGTGC", [2, 739, 3]),
        (make_model(k=6), "GGGGGG", [2, 4100, 3]),
        (make_model("sixmer"), "ATTCCGATTCCGAT", [3, 367, 367, 4100, 4101]),
        (make_model("sixmer"), "ACGTACNNACG", [3, 726, 4104, 4104, 4100, 4102, 4103]),
        (make_model("sixmer"), "acgtac", [3, 0]),
        (make_model("single"), "ATCGNU", [2, 5, 6, 7, 8, 9, 1, 3]),
    ],
)
def test_golden_ids(model, sequence, expected):
    assert encode(check_model(model), [sequence])[1] == [expected]


@pytest.mark.parametrize(
    ("model", "pad_id", "unknown_id", "special_tokens", "size"),
    [
        (make_model(k=3), 0, 1, 2, 69),
        (make_model("sixmer"), 1, 0, 1, 4107),
        (make_model("single"), 0, 1, 2, 10),
    ],
)
def test_what_a_tokenizer_tells(model, pad_id, unknown_id, special_tokens, size):
    tokenizer = make_tokenizer(model)
    assert (tokenizer.pad_id, tokenizer.unknown_id) == (pad_id, unknown_id)
    assert tokenizer.special_tokens == special_tokens and len(tokenizer.vocabulary) == size
    encoded = tokenizer.encode(["a"], ["ACGTAC"], "right")
    assert encoded.pad_id == pad_id
    for i, token in enumerate(tokenizer.vocabulary):
        assert (token.strip("[]<>").lower() == "pad") == (i == pad_id)
        assert (token.strip("[]<>").lower() == "unk") == (i == unknown_id)


@pytest.mark.parametrize("kind", ["kmer", "species", "sixmer", "single", "file"])
def test_transformers_makes_the_same_tokenizer_of_our_files(kind, tmp_path, species_dir, bpe_dir):
    """And so do we, of the very same directory."""
    model, source, step, width = {
        "kmer": (make_model(k=4), None, 1, 4),
        "species": (make_model(k=6, species=SPECIES[1]), species_dir, 1, 6),
        "sixmer": (make_model("sixmer"), None, 0, 0),
        "single": (make_model("single"), None, 1, 1),
        "file": (make_model("file"), bpe_dir, 0, 0),
    }[kind]
    tokenizer = make_tokenizer(model, source)
    directory = write(tmp_path / "model", tokenizer.files)
    sequences = [normalise(s) for s in random_sequences(40, 200, "ACGTACGTACGTNacgtuRY")]
    ids, expected = encode(model, sequences, directory=source)
    assert make_tokenizer(model, directory).files == tokenizer.files
    assert np.array_equal(encode(model, sequences, directory=directory)[0].tokens, ids.tokens)

    text = sequences
    if step:
        text = [" ".join(s[i : i + width] for i in range(len(s) - width + 1)) for s in sequences]
    if kind == "species":
        text = [f"{SPECIES[1]} {t}" for t in text]
    stock = AutoTokenizer.from_pretrained(directory)
    assert stock(text)["input_ids"] == expected
    assert stock.pad_token_id == tokenizer.pad_id and stock.unk_token_id == tokenizer.unknown_id
    assert stock.model_max_length == 512


def test_species(species_dir):
    model = check_model(make_model(k=6, species="candida_glabrata", max_tokens=298))
    tokenizer = make_tokenizer(model, species_dir)
    assert tokenizer.special_tokens == 3 and tokenizer.vocabulary[4102] == "candida_glabrata"
    sequence = ("ACGTTG" * 50)[:300]
    encoded, (ids,) = encode(model, [sequence], directory=species_dir)
    assert len(ids) == 298 and not encoded.truncated.any()
    assert ids[:2] == [2, 4102] and ids[-1] == 3 and min(ids[2:-1]) > 4 and max(ids[2:-1]) <= 4100
    assert tokenizer.letters(sequence, 0, 2) == sequence[:6]
    assert tokenizer.letters(sequence, 10, 5) == sequence[13:19]


def test_unknown_species(species_dir, tmp_path):
    def make(species, directory=species_dir, **changes):
        make_tokenizer(make_model(k=6, species=species, **changes), directory)

    with pytest.raises(
        InputError, match=r"no species 'candida_glabrat' \(nearest: candida_glabrata"
    ):
        make("candida_glabrat")
    with pytest.raises(InputError, match=r"nearest: candida_glabrata"):
        make("Candida glabrata")
    with pytest.raises(InputError, match=r"nearest: kazachstania_africana_cbs_2517_gca_000304475"):
        make("kazachstania_africana")
    with pytest.raises(
        InputError,
        match=r"'yeast' \(among those it has: saccharomyces_p.*4 names at the end of .*vocab",
    ):
        make("yeast")
    with pytest.raises(InputError, match="no species 'AAAAAA'"):
        make("AAAAAA")
    with pytest.raises(InputError, match="but no checkpoint is given"):
        make("candida_glabrata", None)
    with pytest.raises(InputError, match="vocab.txt has none"):
        make("candida_glabrata", tmp_path)
    small = make_model(k=6)["architecture"] | {"vocab_size": 4104}
    with pytest.raises(InputError, match="4105 tokens, but model 'a model' has .*vocab_size 4104"):
        make("candida_glabrata", architecture=small)


@pytest.mark.parametrize("model", [make_model(k=3), make_model("sixmer"), make_model("single")])
def test_a_vocabulary_beside_the_weights_must_be_the_tokenizers(model, tmp_path):
    lines = make_tokenizer(model).vocabulary
    path = tmp_path / "vocab.txt"
    path.write_text("\r\n".join(lines) + "\r\n\r\n")
    assert make_tokenizer(model, tmp_path).vocabulary == lines
    path.write_text("\n".join([*lines[:6], lines[7], lines[6], *lines[8:]]))
    with pytest.raises(
        InputError, match=f"vocab.txt: token 6 is '{lines[7]}', expected '{lines[6]}'"
    ):
        make_tokenizer(model, tmp_path)
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(
        InputError, match=rf"token {len(lines) - 1} is None, expected '{lines[-1]}'"
    ):
        make_tokenizer(model, tmp_path)
    path.write_bytes(b"\x80\x02}q\x00")
    with pytest.raises(InputError, match=r"vocab.txt: line 1: not UTF-8 text"):
        make_tokenizer(model, tmp_path)


def test_bpe(bpe_dir):
    tokenizer = make_tokenizer(check_model(make_model("file")), bpe_dir)
    assert (tokenizer.pad_id, tokenizer.unknown_id, tokenizer.special_tokens) == (3, 0, 2)
    assert tokenizer.vocabulary is None
    pieces = tokenizers.Tokenizer.from_file(str(bpe_dir / "tokenizer.json"))
    sequences = random_sequences(1500, 300)  # more than one chunk
    encoded, ids = encode(make_model("file"), sequences, directory=bpe_dir)
    assert encoded.tokens.dtype == np.uint16 and encoded.tokens.max() < 4096
    assert encoded.pad_id == 3 and not encoded.truncated.any() and not encoded.starts.any()
    assert max(map(len, ids)) > 20  # neither cut nor padded as the file would have it
    for sequence, found in zip(sequences, ids, strict=True):
        assert found[0] == 1 and found[-1] == 2
        assert "".join(map(pieces.id_to_token, found[1:-1])) == sequence


@pytest.mark.parametrize("truncation", ["right", "left", "centre"])
def test_bpe_truncation(truncation, bpe_dir):
    model = make_model("file", max_tokens=20)
    sequences = random_sequences(60, 150)
    _, whole = encode(make_model("file", max_tokens=10_000), sequences, directory=bpe_dir)
    encoded, ids = encode(model, sequences, truncation, bpe_dir)
    tokenizer = make_tokenizer(model, bpe_dir)
    token = tokenizers.Tokenizer.from_file(str(bpe_dir / "tokenizer.json")).id_to_token
    for i, sequence in enumerate(sequences):
        content = whole[i][1:-1]
        cut = max(0, len(content) - 18)
        first = {"right": 0, "left": cut, "centre": cut // 2}[truncation]
        kept = content[first : first + min(18, len(content))]
        assert ids[i] == [1, *kept, 2]
        assert encoded.truncated[i] == (cut > 0)
        start = int(encoded.starts[i])
        assert start == len("".join(map(token, content[:first])))
        for position in (1, len(kept)):
            assert tokenizer.letters(sequence, start, position) == token(kept[position - 1])
    assert encoded.truncated.any() and not encoded.truncated.all()
    if truncation != "centre":
        stock = PreTrainedTokenizerFast(
            tokenizer_file=str(bpe_dir / "tokenizer.json"), truncation_side=truncation
        )
        assert stock(sequences, truncation=True, max_length=20)["input_ids"] == ids


def test_bpe_unknown_letters(bpe_dir):
    tokenizer = make_tokenizer(make_model("file"), bpe_dir)
    encoded, (ids,) = encode(make_model("file"), ["ACGTNNACGU"], directory=bpe_dir)
    unknown = [i for i, token in enumerate(ids) if token == 0]
    assert [tokenizer.letters("ACGTNNACGU", 0, i) for i in unknown] == ["N", "N", "U"]


def change(change_it):
    def changed(text):
        value = json.loads(text)
        change_it(value)
        return json.dumps(value)

    return changed


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda text: text[:-100],
            "tokenizer.json: not a file of the tokenizers library, or a broken",
        ),
        (
            change(lambda v: v.update(post_processor=None)),
            "post_processor puts no special token in front",
        ),
        (change(lambda v: v["model"].update(unk_token=None)), "gives no unknown token"),
        (change(lambda v: v["model"].update(dropout=0.1)), "dropout"),
        (lambda text: text.replace("[PAD]", "[FILL]"), r"it has no token \[PAD\] or <pad>"),
        (lambda text: text.replace("[UNK]", "[X]"), r"it has no token \[UNK\] or <unk>"),
        (lambda text: "[" * 100_000, r"not a file of the tokenizers library"),
        (lambda text: "[1]", "it has no 'model'"),
        (
            change(lambda v: v.update(model={})),
            "not a file of the tokenizers library, or a broken one",
        ),
        (change(lambda v: v["model"].update(vocab={}, merges=[])), "tokenizer.json: "),
        (
            change(lambda v: v["model"].update(vocab={"A": 2**32 - 1}, merges=[])),
            "tokenizer.json: ",
        ),
        (
            change(lambda v: v["post_processor"]["special_tokens"]["[CLS]"].update(ids=[70_000])),
            "adds token 70000, which the model does not have",
        ),
    ],
)
def test_bad_tokenizer_files(damage, message, bpe_dir, tmp_path):
    text = damage((bpe_dir / "tokenizer.json").read_text())
    with pytest.raises(InputError, match=message):
        make_tokenizer(make_model("file"), write(tmp_path, {"tokenizer.json": text}))


def test_tokenizer_file_missing_or_of_another_model(bpe_dir, tmp_path):
    with pytest.raises(InputError, match="tokenizer.json: no such file"):
        make_tokenizer(make_model("file"), tmp_path)
    with pytest.raises(InputError, match="needs a checkpoint that holds a tokenizer.json"):
        make_tokenizer(make_model("file"))
    small = make_model("file")["architecture"] | {"vocab_size": 299}
    with pytest.raises(InputError, match=r"largest token id is 299, but .*vocab_size 299"):
        make_tokenizer(make_model("file", architecture=small), bpe_dir)


@pytest.mark.parametrize("kind", ["sixmer", "single", "file"])
def test_too_short_and_no_sequences(kind, bpe_dir):
    model = make_model(kind)
    with pytest.raises(InputError, match="record 'r1': 0 nt is too short"):
        encode(model, ["ACGT", ""], directory=bpe_dir)
    with pytest.raises(InputError, match="truncation 'middle'"):
        encode(model, ["ACGT"], "middle", bpe_dir)
    encoded = make_tokenizer(model, bpe_dir).encode([], [], "right")
    assert len(encoded) == 0 and encoded.tokens.size == 0 and encoded.offsets.tolist() == [0]


def with_architecture(model, **changes):
    return model | {"architecture": model["architecture"] | changes}


SPECIES_MODEL = make_model(k=6, species=SPECIES[0])


@pytest.mark.parametrize(
    "model",
    [
        make_model("sixmer", max_tokens=1000),
        make_model(k=6, max_tokens=1002),
        with_architecture(SPECIES_MODEL, vocab_size=4102),
        make_model("file", max_tokens=100_000),
        with_architecture(make_model("sixmer", max_tokens=5000), position_embedding_type="rotary"),
        make_model("file", family="esm", max_tokens=1000)
        | {"architecture": make_model("sixmer")["architecture"]},
        make_model("single", architecture=None),
        make_model("file", checkpoint={"files": ["tokenizer.json"]}),
    ],
)
def test_models_that_fit(model):
    assert check_model(model) is model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make_model("sixmer", max_tokens=1001), "max_tokens 1001 .* 1002 less 2 .* at most 1000"),
        (make_model(k=6, family="esm", max_tokens=1002), "less 1 that esm keeps.* at most 1001"),
        (make_model(k=6, max_tokens=1003), "max_tokens 1003 is more than .* at most 1002"),
        (with_architecture(make_model("sixmer"), vocab_size=4104), "4105 tokens, but .* 4104"),
        (with_architecture(make_model("single"), vocab_size=9), "10 tokens"),
        (with_architecture(SPECIES_MODEL, vocab_size=4101), "4102 tokens, but .* 4101"),
        (with_architecture(make_model("file"), vocab_size=65537), "65537 is more than 65536"),
        (make_model("file", family="bert"), "needs max_position_embeddings"),
        (
            make_model("file") | {"tokenizer": {"kind": "file", "k": 6}},
            "tokenizer.k belongs to kind",
        ),
        (
            make_model("sixmer") | {"tokenizer": {"kind": "sixmer", "species": "x"}},
            "tokenizer.species belongs to kind 'kmer', but kind is 'sixmer'",
        ),
        (
            make_model(k=3) | {"tokenizer": {"kind": "kmer", "k": 7}},
            "tokenizer.k 7: .* 3, 4, 5 or 6",
        ),
        (make_model(k=3) | {"tokenizer": {"kind": "kmer"}}, "tokenizer.k None"),
        (
            make_model("file", checkpoint=None),
            "kind 'file' is read from the checkpoint's tokenizer.json",
        ),
        (SPECIES_MODEL | {"checkpoint": None}, "tokenizer.species is read from .* vocab.txt"),
    ],
)
def test_models_whose_fields_disagree(model, message):
    with pytest.raises(InputError, match=f"^model 'a model': .*{message}"):
        check_model(model)


def test_published_vocabulary_is_what_we_write():
    assert (
        make_tokenizer(make_model("sixmer")).files["vocab.txt"].splitlines() == sixmer_vocabulary()
    )
