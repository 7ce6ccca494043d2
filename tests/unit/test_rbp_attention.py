"""The attention analyses of one protein: a model that surely looks at a property, and a slow reading of any model."""

import numpy as np
import pandas as pd
import pytest
import torch

from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier, save_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.elements import ELEMENTS
from nucleotune.studies.rbp.attention import FEWEST, Loaded, analyse_models, load_models
from nucleotune.studies.rbp.findings import gather_findings, write_findings
from nucleotune.studies.rbp.properties import BOUNDARIES, REGIONS, STRUCTURES

LAYERS, HEADS, SIZE, LENGTH, N = 2, 3, 8, 30, 60
MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 40,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": HEADS * SIZE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": 40,
        "max_position_embeddings": 40,
    },
    "parameters": None,
}
TOKENIZER = make_tokenizer(MODEL)


@pytest.fixture(autouse=True)
def one_thread():
    """For models as small as these, waiting for a second thread takes longer than the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_model(seed, attention="sdpa"):
    """Weights so large that attention is far from even."""
    classifier = build_classifier(MODEL, seed=seed, attention=attention)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    return classifier.eval()


def even_model():
    """Queries of zeros: every token looks at all alike, in every head."""
    classifier = random_model(3)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if ".query." in name:
                parameter.zero_()
    return classifier


def planted_model():
    """As `even_model`, but head 1 of layer 0 looks at the token TTT alone, where there is one."""
    classifier = even_model()
    ttt = TOKENIZER.vocabulary.index("TTT")
    with torch.no_grad():
        words = classifier.base_model.embeddings.word_embeddings.weight
        words[:, 0] = 0
        words[ttt, 0] = 100
        attention = classifier.base_model.encoder.layer[0].attention.self
        attention.key.weight[SIZE] = 0
        # Scores of TTT are some 4 above the others', so that several in a sequence share the attention.
        attention.key.weight[SIZE, 0] = 1
        attention.query.bias[SIZE] = 2.5
    return classifier


def load(classifier):
    return Loaded(classifier, MODEL, TOKENIZER, "right")


def make_sequences(seed=0):
    """Half of them 3'UTR with a run of T, a hairpin loop; the other half intron without T."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(N):
        letters = list(rng.choice(list("ACG"), LENGTH))
        regions, elements = ["I"] * LENGTH, ["S"] * LENGTH
        if i % 2:
            begin, width = rng.integers(3, 10), rng.integers(6, 14)
            letters[begin : begin + width] = "T" * width
            elements[begin : begin + width] = "H" * width
            regions = ["3"] * LENGTH
        rows.append((f"seq{i}", *map("".join, (letters, regions, elements))))
    return pd.DataFrame(rows, columns=["id", "sequence", "regions", "elements"])


def find(table, **keys):
    for name, value in keys.items():
        table = table[table[name] == value]
    return table


def test_the_planted_head_is_found():
    sequences = make_sequences()
    found = analyse_models({"after": load(planted_model())}, sequences, seed=1)
    hairpin = find(found.summary, property="structure", kind="hairpin loop").iloc[0]
    assert (hairpin["layer"], hairpin["head"]) == (0, 1)
    # Half of the sequences have no TTT to look at: there the head is even, and the other half weighs as much.
    assert hairpin["highest"] > 0.45 > 1.5 * hairpin["background"]
    assert hairpin["spearman"] > 0.8
    heads = find(found.heads, property="structure", kind="hairpin loop")
    others = heads[(heads["layer"] != 0) | (heads["head"] != 1)]
    np.testing.assert_allclose(others["value"], hairpin["background"], rtol=1e-4)
    # Attention that goes to TTT does not go to [CLS]: there is more of it in introns.
    intron = find(found.summary, property="region", kind="intron").iloc[0]
    assert (intron["layer"], intron["head"]) == (0, 1)
    assert intron["highest"] > 2 and intron["cv"] > 0.2
    assert intron["spearman"] > 0.8 and intron["background"] == 0.5
    utr = find(found.heads, property="region", kind="3'UTR", layer=0, head=1)["value"].item()
    assert utr == pytest.approx(1 / intron["highest"])


def test_even_attention_knows_nothing():
    found = analyse_models({"after": load(even_model())}, make_sequences(), seed=1)
    measured = found.summary[found.summary["n_with"] > 0]
    regions = measured[measured["property"] == "region"]
    np.testing.assert_allclose(regions["highest"], 1, rtol=1e-5)
    np.testing.assert_allclose(measured["cv"], 0, atol=1e-5)
    tokens = measured[measured["property"] != "region"]
    np.testing.assert_allclose(tokens["highest"], tokens["background"], rtol=1e-5)


def random_letters(seed=5):
    """Sequences of unequal length with random labels; of every fourth neither region nor structure is known."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(50):
        length = rng.integers(12, 36)
        texts = [
            "".join(rng.choice(list(letters), length)) for letters in ("ACGT", "53ICE.", ELEMENTS)
        ]
        # Regions and structures come in runs.
        texts[1:] = ["".join(np.repeat(list(text), 6)[:length]) for text in texts[1:]]
        rows.append((f"seq{i}", texts[0], *(texts[1:] if i % 4 else (None, None))))
    return pd.DataFrame(rows, columns=["id", "sequence", "regions", "elements"])


def slow_reading(seed, sequences):
    """Of each known sequence attention (layers, heads, tokens, tokens), its regions and the labels of its tokens."""
    eager = random_model(seed, attention="eager")
    for row in sequences.dropna().itertuples():
        tokens = TOKENIZER.encode([row.id], [row.sequence], "right").tokens.astype(np.int64)
        with torch.inference_mode():
            output = eager(torch.from_numpy(tokens)[None], output_attentions=True)
        regions = [set(row.regions[i : i + 3]) for i in range(len(row.sequence) - 2)]
        elements = [set(row.elements[i : i + 3]) for i in range(len(row.sequence) - 2)]
        yield torch.cat(output.attentions).double().numpy(), set(row.regions), regions, elements


def test_every_number_follows_its_definition():
    sequences = random_letters()
    found = analyse_models({"after": load(random_model(1))}, sequences, seed=1)
    read = list(slow_reading(1, sequences))
    summary = found.summary.set_index(["property", "kind"])
    assert list(summary.index.unique()) == [
        *(("region", kind) for kind in REGIONS),
        *(("boundary", kind) for kind in BOUNDARIES),
        *(("structure", kind) for kind in STRUCTURES),
    ]
    assert (summary["n"] == len(read)).all()

    to_class = np.array([alpha[..., 0].sum(-1) for alpha, *_ in read])
    for kind, letter in REGIONS.items():
        has = np.array([letter in regions for _, regions, *_ in read])
        expected = to_class[has].mean(0) / to_class[~has].mean(0)
        check(summary.loc["region", kind], found.heads, expected, has.sum(), has.mean())

    within = sum(alpha[..., 1:-1, 1:-1].sum((-1, -2)) for alpha, *_ in read)
    tokens = {
        ("boundary", kind): [[{REGIONS[a], REGIONS[b]} <= one for one in r] for *_, r, _ in read]
        for kind, (a, b) in BOUNDARIES.items()
    } | {
        ("structure", kind): [[letter in one for one in elements] for *_, elements in read]
        for kind, letter in STRUCTURES.items()
    }
    for key, labels in tokens.items():
        expected = sum(
            (alpha[..., 1:-1, 1:-1] * np.array(g)).sum((-1, -2))
            for (alpha, *_), g in zip(read, labels, strict=True)
        )
        share = np.mean([label for one in labels for label in one])
        row = summary.loc[key]
        check(row, found.heads, expected / within, sum(map(any, labels)), share)
        if np.isnan(row["cv"]):
            continue
        # The curve, from each token's own attention in that head.
        raw = np.concatenate(
            [alpha[row["layer"], row["head"], 1:-1, 1:-1].sum(0) for alpha, *_ in read]
        )
        has = np.concatenate(labels)
        curve = find(found.curves, property=key[0], kind=key[1], chosen="own")
        for one in curve.itertuples():
            inside = (one.begin < raw * (1 - 1e-6)) & (raw * (1 - 1e-6) <= one.end)
            assert abs(one.n - inside.sum()) <= 1
            if one.n == inside.sum() > 0:
                assert one.probability == pytest.approx(has[inside].mean())


def check(row, heads, expected, n_with, background):
    assert row["n_with"] == n_with
    if n_with < FEWEST:
        assert row["note"].startswith(f"{n_with} of ")
        return
    property_, kind = row.name
    value = find(heads, property=property_, kind=kind)["value"].to_numpy()
    np.testing.assert_allclose(value.reshape(LAYERS, HEADS), expected, rtol=1e-4)
    layer, head = np.unravel_index(expected.argmax(), expected.shape)
    assert (row["layer"], row["head"]) == (layer, head)
    assert row["highest"] == pytest.approx(expected.max(), rel=1e-4)
    assert row["cv"] == pytest.approx(expected.std() / expected.mean(), rel=1e-3)
    assert row["background"] == pytest.approx(background)


def test_models_are_compared_with_the_first():
    models = {"after": random_model(1), "before": random_model(1), "scratch": random_model(2)}
    found = analyse_models(
        {name: load(one) for name, one in models.items()}, random_letters(), seed=1
    )
    similarity = {
        name: rows["similarity"].dropna() for name, rows in found.summary.groupby("model")
    }
    assert similarity["after"].empty
    np.testing.assert_allclose(similarity["before"], 1)
    kinds = (found.summary["model"].eq("after") & found.summary["cv"].notna()).sum()
    assert len(similarity["before"]) == len(similarity["scratch"]) == kinds
    assert (similarity["scratch"] < 0.95).all()
    # One head for all structures in all models: the first one's of most attention to loops.
    loops = find(found.curves, chosen="loops")
    assert set(loops["model"]) == set(models) and set(loops["property"]) == {"structure"}
    assert len(loops[["layer", "head"]].drop_duplicates()) == 1
    total = 0
    for kind in ("interior loop", "hairpin loop", "multiloop"):
        background = find(found.summary, model="after", kind=kind)["background"].item()
        values = find(found.heads, model="after", kind=kind)["value"].to_numpy()
        total = total + values.reshape(LAYERS, HEADS) / background
    best = np.unravel_index(total.argmax(), total.shape)
    assert tuple(loops[["layer", "head"]].iloc[0]) == best


def test_too_few_sequences_have_a_row_that_says_so():
    sequences = make_sequences()
    sequences["elements"] = None
    sequences.loc[sequences["regions"].str[0] == "I", "regions"] = "." * LENGTH
    sequences.loc[: FEWEST - 2, "regions"] = "C" * LENGTH
    found = analyse_models({"after": load(even_model())}, sequences, seed=1)
    notes = found.summary.set_index("kind")["note"]
    assert notes["CDS"] == f"{FEWEST - 1} of {N} sequences have it: at least {FEWEST} are needed"
    assert notes["stem"] == f"0 of 0 sequences have it: at least {FEWEST} are needed"
    assert notes["3'UTR"].startswith("no correlation")
    assert set(found.heads["kind"]) == set(found.curves["kind"]) == {"3'UTR"}
    everywhere = sequences.assign(regions="3" * LENGTH)
    found = analyse_models({"after": load(even_model())}, everywhere, seed=1)
    assert f"0 of {N} sequences lack it" in found.summary.set_index("kind")["note"]["3'UTR"]
    assert found.curves.empty and found.heads.empty


def test_a_correlation_needs_bins():
    """Even attention puts all samples into one bin; of two bins a correlation would be 1 or -1."""
    found = analyse_models({"after": load(even_model())}, make_sequences(), seed=1)
    measured = found.summary[found.summary["n_with"] > 0]
    assert (measured["bins"] < 3).all() and measured["spearman"].isna().all()
    assert measured["note"].str.startswith("no correlation: samples fall into only ").all()


def test_letters_of_another_length_are_refused():
    sequences = make_sequences()
    sequences.loc[3, "regions"] = "33"
    with pytest.raises(InputError, match="record 'seq3': 2 letters in 'regions' for 30 nt"):
        analyse_models({"after": load(even_model())}, sequences, seed=1)
    with pytest.raises(InputError, match="no sequences"):
        analyse_models({"after": load(even_model())}, sequences[:0], seed=1)


def test_findings_come_back_from_their_files(tmp_path):
    found = analyse_models({"after": load(planted_model())}, make_sequences(), seed=1)
    sequences = make_sequences().assign(regions=None, elements=None)
    nothing = analyse_models({"after": load(even_model())}, sequences, seed=1)
    files = {}
    for title, one in (("A", nothing), ("B", found)):
        paths = [tmp_path / title / name for name in ("summary.tsv", "heads.parquet", "c.parquet")]
        write_findings(one, summary=paths[0], heads=paths[1], curves=paths[2])
        files[title] = tuple(paths)
    both = gather_findings(files)
    assert both.summary["rbp"].tolist() == ["A"] * 15 + ["B"] * 15
    assert (both.summary["note"][:15] != "").all()
    for name in ("summary", "heads", "curves"):
        mine = find(getattr(both, name), rbp="B").drop(columns="rbp").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, getattr(found, name), check_dtype=False, rtol=1e-6)


def test_models_from_their_directories(tmp_path):
    tuned, published, scratch = random_model(1), random_model(2), random_model(3)
    description = {"model": MODEL, "truncation": "right"}
    for name, one in (("tuned", tuned), ("published", published), ("scratch", scratch)):
        save_model(tmp_path / name, one, description, tokenizer=TOKENIZER)
    paths = [tmp_path / name for name in ("tuned", "published", "scratch")]
    models = load_models(*paths, seed=0, device=torch.device("cpu"))
    assert list(models) == ["after", "before", "scratch"]
    for loaded, expected in zip(models.values(), (tuned, published, scratch), strict=True):
        own = loaded.classifier.base_model.state_dict()
        for key, value in expected.base_model.state_dict().items():
            assert torch.equal(own[key], value)
    assert list(load_models(*paths[:2], None, seed=0, device=torch.device("cpu"))) == [
        "after",
        "before",
    ]
