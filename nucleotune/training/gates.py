"""Gates: what would else end as a plausible but worthless number stops here, with a message that says what to do."""

import logging
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nucleotune.errors import InputError
from nucleotune.models.tokenizers import Tokenizer
from nucleotune.sequence.kmers import TokenizedSequences

logger = logging.getLogger(__name__)

#: Unknown tokens among all but the special ones that training tolerates.
MAX_UNKNOWN_SHARE = 0.001

#: Least standard deviation, over validation examples, of what a model says of them: logits of labels, or numbers in
#: standard deviations of the training examples.
LEAST_SPREAD = 0.01

#: How many times the loss of a flat profile a profile model's may be.
MUCH_WORSE = 10


class Diverged(InputError):
    """A training led nowhere: another learning rate may not. A search goes on with its next trial."""


def check_unknown(
    tokenizer: Tokenizer,
    tokenized: TokenizedSequences,
    ids: Sequence[str],
    sequences: Sequence[str],
    limit: float = MAX_UNKNOWN_SHARE,
) -> float:
    """Return the share of unknown tokens (special tokens not counted), 0 to 1.

    Raises:
        InputError: it is above `limit`; names the first record with one and the letters under it.
    """
    unknown = np.flatnonzero(tokenized.tokens == tokenizer.unknown_id)
    content = len(tokenized.tokens) - tokenizer.special_tokens * len(tokenized)
    share = len(unknown) / content if content else 0.0
    if share > limit:
        i = int(np.searchsorted(tokenized.offsets, unknown[0], side="right")) - 1
        position = int(unknown[0] - tokenized.offsets[i])
        letters = tokenizer.letters(sequences[i], int(tokenized.starts[i]), position)
        raise InputError(
            f"{share:.2%} of the tokens are unknown to the model (at most {limit:.1%} is tolerated). First: record "
            f"{ids[i]!r}, token {letters!r}. The model reads upper-case A, C, G, T: write U as T, use upper case, "
            f"and leave out records with many N or ambiguity codes"
        )
    return share


def check_finite(values: dict[str, float], *, step: int, learning_rate: float) -> None:
    """Raise Diverged if one of `values` (name: value), measured at optimiser step `step`, is no finite number."""
    if not all(math.isfinite(value) for value in values.values()):
        found = ", ".join(f"{name} {value}" for name, value in values.items())
        raise Diverged(
            f"training diverged at step {step} (learning rate {learning_rate:.2g}): {found}. Lower "
            f"training.learning_rate or training.max_gradient_norm, or, where the rate warms up, raise "
            f"training.warmup_share"
        )


def check_learned(loss: float, flat: float) -> bool:
    """Whether a profile model's best validation loss is no lower than that of a flat profile, which knows nothing.

    Such a model is a result like any other, and only logged.

    Raises:
        Diverged: the loss is more than MUCH_WORSE times as high.
    """
    if loss < flat:
        return False
    text = f"best validation loss {loss:.4g}, but a flat profile has {flat:.4g}"
    if loss > MUCH_WORSE * flat:
        raise Diverged(f"training diverged: {text}. Lower training.learning_rate")
    logger.warning("the model learnt nothing: %s", text)
    return True


def check_collapse(predictions: pd.DataFrame, *, keep: bool = False) -> bool:
    """Whether the rows of split `valid` hold several classes but are all predicted to be one of them.

    keep: a collapsed model is a result like any other, and only logged.

    Raises:
        InputError: they are, and `keep` is False.
    """
    valid = predictions[predictions["split"] == "valid"]
    collapsed = valid["label"].nunique() > 1 and valid["predicted"].nunique() == 1
    if not collapsed:
        return False
    only = int(valid["predicted"].iloc[0])
    text = (
        f"training collapsed: all {len(valid)} validation examples are predicted as label {only}, though "
        f"{int((valid['label'] != only).sum())} of them are not"
    )
    return _collapsed(text, keep)


def check_spread(outputs: NDArray[np.float64], known: NDArray[np.float64], *, keep: bool) -> bool:
    """Whether validation examples with unlike labels or numbers get the same prediction, all but LEAST_SPREAD.

    Args:
        outputs: what the model says of them, (n, outputs).
        known: their labels or numbers, NaN where they are not known, (n, outputs).
        keep: see `check_collapse`.

    Raises:
        InputError: they do, and `keep` is False.
    """
    unlike = any(len(np.unique(column[~np.isnan(column)])) > 1 for column in known.T)
    if not unlike or (outputs.std(axis=0) >= LEAST_SPREAD).any():
        return False
    return _collapsed(
        f"training collapsed: all {len(outputs)} validation examples get the same prediction, though they differ",
        keep,
    )


def _collapsed(text: str, keep: bool) -> bool:
    if keep:
        logger.warning("%s; kept, as training.on_collapse says", text)
        return True
    raise InputError(
        f"{text}. Try a lower training.learning_rate, a longer training.warmup_share, more training.epochs, or another "
        f"seed; if it persists, look at the lengths and at `truncation`: the signal may have been cut away. Where a "
        f"model that learns nothing is a result, too, set training.on_collapse: keep"
    )
