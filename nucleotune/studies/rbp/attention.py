"""The attention analyses of the BERT-RBP study, of one protein and all its models: figures 3 to 5.

Which heads look at transcript regions, at their boundaries and at secondary structure (Yamada and Hamada 2022, sections
2.4.2 to 2.4.4), and is that from training on the protein's sequences, from pre-training, or there in a model without
either? The sequences are the non-training set. Each model reads them twice: once for the sums of all properties in all
heads, and once for each token's attention in the few heads that the sums single out.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from nucleotune.attention import statistics
from nucleotune.attention.capture import AttentionSums, attention_sums, attention_to_tokens
from nucleotune.attention.spans import token_spans
from nucleotune.errors import InputError
from nucleotune.models.load import load_model, load_pretrained
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.studies.rbp.findings import Findings, make_findings
from nucleotune.studies.rbp.properties import LOOPS, Property, find_properties

logger = logging.getLogger(__name__)

#: Sequences with a property, and of regions without it, that an analysis needs at least.
FEWEST = 10

#: Bins of attention with samples that a correlation needs at least. Where attention hardly differs among samples, as in
#: many heads of a model without training, they share two or three bins, whose correlation is 1 or -1 by chance.
FEWEST_BINS = 5

Head = tuple[int, int]
Key = tuple[str, str]  # level and kind of a property


class Loaded(NamedTuple):
    """A model on the device to compute on, and what makes its input; `model` is its dict, see `models.spec`."""

    classifier: PreTrainedModel
    model: dict[str, Any]
    tokenizer: Tokenizer
    truncation: str


def load_models(
    tuned: Path, checkpoint: Path, scratch: Path | None, *, seed: int, device: torch.device
) -> dict[str, Loaded]:
    """The models to compare: `after` fine-tuning, `before` it, and one that was trained from `scratch`.

    Args:
        tuned: model directory of the fine-tuned model.
        checkpoint: the published model it was tuned from; its head is new, but attention does not depend on that.
        scratch: model directory of BERT-baseline, whose weights were random before it was trained; None for none.
        seed: of the head's weights.
        device: where to compute.
    """

    def trained(directory: Path) -> Loaded:
        classifier, description = load_model(directory)
        model = description["model"]
        return Loaded(
            classifier, model, make_tokenizer(model, directory), description["truncation"]
        )

    models = {"after": trained(tuned)}
    published, _ = load_pretrained(models["after"].model, checkpoint, seed=seed)
    models["before"] = models["after"]._replace(classifier=published)
    if scratch is not None:
        models["scratch"] = trained(scratch)
    for loaded in models.values():
        loaded.classifier.to(device).eval()
    return models


def analyse_models(
    models: Mapping[str, Loaded], sequences: pd.DataFrame, *, seed: int, max_tokens: int = 8192
) -> Findings:
    """All analyses of one protein.

    Args:
        models: by name; the others are compared with the first.
        sequences: `id`, `sequence`, `regions` and `elements`, the last two one letter per nucleotide, or None where
            they are not known: see `rbp_properties`.
        seed: of the three subsets that error bars come from, the same for all models.
        max_tokens: tokens of a batch.

    A property that fewer than FEWEST sequences have (or lack, of regions) has a row in `summary` with a note, and no
    numbers; one whose samples fill fewer than FEWEST_BINS bins of attention has no correlation.

    Raises:
        InputError: no sequences, one too short for a token, or letters of another length than it (names the record).
    """
    if sequences.empty:
        raise InputError("no sequences to analyse: the non-training set is empty")
    summaries, heads, curves = [], [], []
    reference: dict[Key, np.ndarray] | None = None
    loop_head: Head | None = None
    for name, loaded in models.items():
        logger.info("model %s, %d sequences", name, len(sequences))
        reading = _read(loaded, sequences, max_tokens)
        if reference is None:
            reference, loop_head = reading.values, _loop_head(reading)
        drawn = _curves(reading, loop_head, seed, max_tokens)
        summaries += [{"model": name, **row} for row in _summary(reading, drawn, reference)]
        heads += [_table(values, name, key) for key, values in reading.values.items()]
        curves += [curve.assign(model=name) for curve in drawn.values()]
        # Sums of 100,000 sequences take a gigabyte: free before the next model's are made.
        del reading
    return make_findings(summaries, heads, curves)


class _Reading(NamedTuple):
    """What the first reading gave; `values` has (layers, heads) of each property that enough sequences have."""

    loaded: Loaded
    tokenized: TokenizedSequences
    content: np.ndarray
    owners: np.ndarray  # number of each token's sequence
    properties: list[Property]
    sums: AttentionSums
    values: dict[Key, np.ndarray]


def _read(loaded: Loaded, sequences: pd.DataFrame, max_tokens: int) -> _Reading:
    ids, letters = sequences["id"].tolist(), sequences["sequence"].tolist()
    tokenized = loaded.tokenizer.encode(ids, letters, loaded.truncation)
    spans = token_spans(loaded.model, loaded.tokenizer, tokenized, letters)
    properties = find_properties(spans, tokenized, sequences)
    of_tokens = {(p.level, p.kind): p.tokens for p in properties if p.tokens is not None}
    sums = attention_sums(
        loaded.classifier,
        tokenized,
        spans.content,
        np.column_stack(list(of_tokens.values())),
        max_tokens=max_tokens,
    )
    values = {}
    for one in properties:
        if _too_few(one):
            continue
        if one.tokens is None:
            found = statistics.relative_attention(sums.to_class[one.known], one.has[one.known])
        else:
            column = list(of_tokens).index((one.level, one.kind))
            to_property = sums.to_property[..., column][one.known]
            found = statistics.attention_ratio(to_property[..., None], sums.to_sequence[one.known])
            found = found[..., 0]
        values[one.level, one.kind] = found
    owners = np.repeat(np.arange(len(ids)), tokenized.lengths)
    return _Reading(loaded, tokenized, spans.content, owners, properties, sums, values)


def _too_few(one: Property) -> str:
    """Why a property is not analysed; empty when it is."""
    n, n_with = int(one.known.sum()), int(one.has[one.known].sum())
    if n_with < FEWEST:
        return f"{n_with} of {n} sequences have it: at least {FEWEST} are needed"
    if one.tokens is None and n - n_with < FEWEST:
        return f"{n - n_with} of {n} sequences lack it: at least {FEWEST} are needed"
    return ""


def _background(reading: _Reading, one: Property) -> float:
    if one.tokens is None:
        return float(one.has[one.known].mean())
    inside = reading.content & one.known[reading.owners]
    return float(statistics.frequency(one.tokens[:, None], inside)[0])


def _loop_head(reading: _Reading) -> Head | None:
    """The head of most attention to loops, see `Findings`; None where no kind of loop has enough sequences."""
    relative = [
        reading.values[one.level, one.kind] / _background(reading, one)
        for one in reading.properties
        if one.level == "structure"
        and one.kind in LOOPS
        and (one.level, one.kind) in reading.values
    ]
    return statistics.most_specialised(np.mean(relative, axis=0)) if relative else None


def _curves(
    reading: _Reading, loop_head: Head | None, seed: int, max_tokens: int
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """(level, kind, chosen) -> its rows of `Findings.curves`, `model` apart."""
    drawn = []
    for one in reading.properties:
        values = reading.values.get((one.level, one.kind))
        if values is not None:
            drawn.append((one, "own", statistics.most_specialised(values)))
            # A model of other sizes may have no such head.
            if (
                one.level == "structure"
                and loop_head
                and np.all(loop_head < np.array(values.shape))
            ):
                drawn.append((one, "loops", loop_head))
    if not drawn:
        return {}
    heads = sorted({head for one, _, head in drawn if one.tokens is not None})
    raw = attention_to_tokens(
        reading.loaded.classifier, reading.tokenized, reading.content, heads, max_tokens=max_tokens
    )
    curves = {}
    for one, chosen, head in drawn:
        subset = np.zeros(len(one.known), dtype=np.int64)
        subset[one.known] = statistics.random_subsets(int(one.known.sum()), seed=seed)
        if one.tokens is None:
            attention = reading.sums.to_class[:, *head][one.known]
            samples = attention, one.has[one.known], subset[one.known]
        else:
            inside = reading.content & one.known[reading.owners]
            attention = raw[inside, heads.index(head)]
            samples = attention, one.tokens[inside], subset[reading.owners[inside]]
        curve = statistics.probability_by_attention(*samples)
        curves[one.level, one.kind, chosen] = curve.assign(
            property=one.level, kind=one.kind, chosen=chosen, layer=head[0], head=head[1]
        )
    return curves


def _summary(
    reading: _Reading,
    curves: Mapping[tuple[str, str, str], pd.DataFrame],
    reference: Mapping[Key, np.ndarray],
) -> list[dict[str, Any]]:
    """Rows of `Findings.summary`, `model` apart; `reference` has the first model's values."""
    rows = []
    for one in reading.properties:
        key = (one.level, one.kind)
        row = {
            "property": one.level,
            "kind": one.kind,
            "n": int(one.known.sum()),
            "n_with": int(one.has[one.known].sum()),
            "note": _too_few(one),
        }
        values = reading.values.get(key)
        if values is not None:
            layer, head = statistics.most_specialised(values)
            curve = curves[*key, "own"]
            bins = int((curve["n"] > 0).sum())
            row |= {
                "background": _background(reading, one),
                "cv": statistics.coefficient_of_variation(values),
                "layer": layer,
                "head": head,
                "highest": float(values.max()),
                "bins": bins,
                "spearman": statistics.spearman(curve) if bins >= FEWEST_BINS else np.nan,
                "similarity": _similarity(values, reference.get(key)),
            }
            if bins < FEWEST_BINS:
                row["note"] = f"no correlation: samples fall into only {bins} bins of attention"
        logger.info(
            "%s", ", ".join(f"{name} {value}" for name, value in row.items() if value != "")
        )
        rows.append(row)
    return rows


def _similarity(values: np.ndarray, reference: np.ndarray | None) -> float:
    """NaN for the reference itself, and where the two models are of other sizes."""
    if reference is None or reference is values or reference.shape != values.shape:
        return float("nan")
    return statistics.similarity(values, reference)


def _table(values: np.ndarray, model: str, key: Key) -> pd.DataFrame:
    """Rows of `Findings.heads`."""
    layer, head = np.indices(values.shape)
    keys = {"model": model, "property": key[0], "kind": key[1]}
    places = {"layer": layer.ravel(), "head": head.ravel(), "value": values.ravel()}
    return pd.DataFrame(keys | places)
