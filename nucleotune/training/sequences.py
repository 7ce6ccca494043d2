"""Language models that give some numbers for a sequence as a whole; what the numbers mean is said by a kind of labels.

A method is the dict of one `config/methods/<name>.yaml`, validated by its schema:

    title, kind: language_model, model
    start_from    name of the method whose trained model this one starts from, or null
    train_splits  the splits trained on
    weights       `random`: the checkpoint gives the tokenizer and the sizes only; else not there
    adaptation    `full`; `lora` with lora: {rank, alpha, dropout}; or `frozen`: the head alone is trained (what the
                  head is, says `models.adapters`). Dropout acts on a frozen encoder, too, while its head is trained.
                  `probe` with probe: {c_grid}: a linear head on mean-pooled embeddings, which are computed once, fitted
                  as a regression (`training.probe`); of `training` it needs micro_batch_tokens and on_collapse only
    view          what the model is shown of a sequence (see `sequence.views`)
    truncation    right, left or centre (see `sequence.kmers.encode_kmers`)
    long          `truncate`, as a method does that does not have the key; or `windows` (see `sequence.token_windows`),
                  with window_overlap and window_pooling: longer sequences are then read whole
    max_tokens    longest input in tokens, or null: the model's
    training      epochs, max_steps, batch_size, learning_rate, weight_decay, warmup_share or warmup_steps,
                  max_gradient_norm, evaluations_per_epoch, patience (evaluations without a better validation loss),
                  micro_batch_tokens, on_collapse, save_minutes
"""

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nucleotune.errors import InputError
from nucleotune.models.adapters import add_lora, freeze_encoder, head_modules, merge_lora
from nucleotune.models.description import Head, head_of
from nucleotune.models.families import FAMILIES
from nucleotune.models.load import build_classifier, load_model, load_pretrained, save_model
from nucleotune.models.probe import Probe
from nucleotune.models.reading import read_tokens
from nucleotune.models.spec import as_read, has_windows
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.models.weights import count_parameters
from nucleotune.sequence.token_windows import TokenWindows
from nucleotune.sequence.views import show
from nucleotune.training.batches import epoch_batches
from nucleotune.training.compute import embed, pooled_logits, predict_logits, predicted_splits
from nucleotune.training.gates import check_unknown
from nucleotune.training.learner import Learner, Rows
from nucleotune.training.memory import TokenBudget

logger = logging.getLogger(__name__)


class SequenceLearner(Learner):
    """Sequences as tokens, and a language model whose `.logits` are (examples, outputs)."""

    padded = True
    #: The kind of labels.
    task: ClassVar[str]
    #: Labels or numbers that a training example has, on average; the loss is a mean over these.
    per_example: float = 1
    #: What the outputs of all rows should be: classes (n,), or values (n, outputs), NaN where unknown.
    targets: NDArray[Any]

    def __init__(
        self,
        examples: pd.DataFrame,
        *,
        method: dict[str, Any],
        model: dict[str, Any],
        seed: int,
        device: torch.device,
        start_from: Path | None = None,
        checkpoint: Path | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """See `Learner`."""
        # From here on the model's limit is the method's: for tokens, the state's identity, and whoever reads the model.
        self.method, self.model = method, as_read(model, method)
        self.training, self.device = method["training"], device
        self.head = Head(self.task, tuple(labels or self.names(examples)))
        self.table = table = self._used(examples)
        self.train = np.flatnonzero(table["split"].isin(method["train_splits"]))
        self.valid = np.flatnonzero(table["split"] == "valid")
        ids, sequences = table["id"].tolist(), show(table["sequence"], method["view"])
        self.tokenizer = make_tokenizer(self.model, start_from or checkpoint)
        side, longest = method["truncation"], self.model["max_tokens"]
        self.described = {"model": self.model, "method": method, "truncation": side}
        self.windows = read_tokens(self.tokenizer, ids, sequences, self.described)
        tokenized = self.windows.tokenized
        self.sizes = self.windows.lengths
        self.budget = TokenBudget(self.training["micro_batch_tokens"], window=longest)
        unknown_share = check_unknown(self.tokenizer, tokenized, ids, sequences)
        truncated = int(tokenized.truncated.sum())
        share = truncated / len(table)
        self.facts = {
            "unknown_share": unknown_share,
            "truncated": {"side": side, "count": truncated, "share": share},
        }
        if has_windows(method):
            self.facts["windows"] = found = _in_several(self.windows)
            logger.info(
                "%d examples; %.1f %% of them longer than %d tokens, in up to %d windows",
                *(len(table), 100 * found["share"], longest, found["most"]),
            )
        else:
            logger.info(
                "%d examples; %.1f %% of them cut at %d tokens, side: %s",
                *(len(table), 100 * share, longest, side),
            )
        network, self.report, began = self._starting_network(seed, start_from, checkpoint)
        self._check_padding(network)
        self.network, self.adapter = network.to(device), None
        self.parameters = count_parameters(network)
        self.identity = {"tokenizer": self.tokenizer.files, "names": self.head.names}
        self.described |= {
            "labels": {str(i): name for i, name in enumerate(self.head.names)},
            "unknown_share": unknown_share,
            "truncated_share": share,
        }
        self.prepare(began)
        self.embeddings: torch.Tensor | None = None
        if method["adaptation"] == "probe":
            self._fit_probe()

    def names(self, examples: pd.DataFrame) -> Sequence[str]:
        """Names of classes, labels or targets where the caller has none."""
        return ()

    def prepare(self, began: Mapping[str, Any]) -> None:
        """What the kind does before the first step; `began` describes the model that is started from, or is empty."""

    @staticmethod
    @abstractmethod
    def decode(
        logits: NDArray[np.float64], description: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]]:
        """What is said of new sequences: columns by name, from logits (n, outputs) and the model's description."""

    @abstractmethod
    def check(self, examples: pd.DataFrame) -> None:
        """Raise InputError unless `examples` keep the contract of the kind and can be learnt from."""

    @abstractmethod
    def sums(self, logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
        """Sums over `rows` in the order of `parts`, the loss first, from their fp32 logits (examples, outputs)."""

    @abstractmethod
    def judge(self, logits: NDArray[np.float64], rows: Rows) -> dict[str, float]:
        """What `numbers` gives, of the logits (examples, outputs) that `rows` are predicted with."""

    @abstractmethod
    def predictions(self, logits: NDArray[np.float64], rows: Rows) -> tuple[pd.DataFrame, bool]:
        """Predictions of `rows` in the contract of the kind, and whether all are alike; see `Learner.finish`."""

    def batches(self, seed: int, epoch: int) -> list[Rows]:
        """Batches of like length, see `batches.epoch_batches`."""
        sizes, batch_size = self.sizes[self.train], self.training["batch_size"]
        return [self.train[b] for b in epoch_batches(sizes, batch_size, seed=seed, epoch=epoch)]

    def learn(self, rows: Rows, batch_size: int) -> torch.Tensor:
        """See `Learner`."""
        logits = pooled_logits(
            self.network, self.windows, rows, device=self.device, tokens=self.budget.tokens
        )
        sums = self.sums(logits, rows)
        # Divided by the whole batch, the micro-batches' gradients add up to that of the batch mean.
        (sums[0] / (batch_size * self.per_example)).backward()
        return torch.stack([each.detach().double() for each in sums])

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Logits (len(rows), outputs)."""
        if self.embeddings is not None:
            head = self.network.classifier
            return head(self.embeddings[rows].to(self.device)).cpu().double().numpy()
        return predict_logits(
            self.network, self.windows, rows, device=self.device, budget=self.budget
        )

    def measure(self, rows: Rows) -> dict[str, float]:
        """See `Learner`."""
        return self.judge(self.predict(rows), rows)

    def finish(self, best_loss: float) -> tuple[pd.DataFrame, bool]:
        """See `Learner`."""
        if self.method["adaptation"] == "lora":
            # Predictions are made with the merged weights: those, and no others, are what `predict` reads.
            self.network, self.adapter = merge_lora(self.network)
        rows = np.flatnonzero(self.table["split"].isin(predicted_splits(self.table)))
        return self.predictions(self.predict(rows), rows)

    def save(self, directory: Path, description: dict[str, Any]) -> None:
        """See `Learner`."""
        parts = {"tokenizer": self.tokenizer, "adapter": self.adapter}
        save_model(directory, self.network, description, **parts)

    def _used(self, examples: pd.DataFrame) -> pd.DataFrame:
        """Rows that are trained on or predicted, after checks."""
        self.check(examples)
        method, longest = self.method, self.model["max_tokens"]
        limit = method["training"]["micro_batch_tokens"]
        if limit < longest:
            raise InputError(
                f"method {method['title']!r}: training.micro_batch_tokens {limit} is less than one longest input of "
                f"the model ({longest} tokens)"
            )
        if "valid" in method["train_splits"] or "test" in method["train_splits"]:
            raise InputError(
                f"method {method['title']!r}: train_splits must not hold 'valid' or 'test'"
            )
        wanted = {*method["train_splits"], *predicted_splits(examples)}
        return examples[examples["split"].isin(wanted)].reset_index(drop=True)

    def _starting_network(
        self, seed: int, start_from: Path | None, checkpoint: Path | None
    ) -> tuple[torch.nn.Module, dict[str, Any] | None, dict[str, Any]]:
        """The network before its first step, adapted as the method says.

        Also what `load_pretrained` reports, and the description of the model that is started from.
        """
        model, method, report, began = self.model, self.method, None, {}
        outputs = self.head.outputs
        if checkpoint is not None and method.get("weights") != "random":
            network, report = load_pretrained(model, checkpoint, seed=seed, outputs=outputs)
            logger.info(
                "%s: %d weights; new: %s; not used: %s",
                *(checkpoint, report["loaded"]),
                *(", ".join(report[kind]) or "none" for kind in ("new", "ignored")),
            )
        elif start_from is not None:
            network, began = load_model(start_from)
            self._check_head(start_from, head_of(began))
        else:
            network = build_classifier(model, seed=seed, outputs=outputs)
        if method["adaptation"] == "probe":
            network = Probe(network)
            network.base_model.requires_grad_(False)
            if report is not None:
                report["new"] = [f"classifier.{name}" for name in network.classifier.state_dict()]
        elif method["adaptation"] == "frozen":
            freeze_encoder(network)
        elif method["adaptation"] == "lora":
            trained, targets = head_modules(network), model["lora_targets"]
            network = add_lora(network, targets, **method["lora"], seed=seed, trained=trained)
        return network, report, began

    def _fit_probe(self) -> None:
        """Compute the embeddings of all rows, and fit the head on them: nothing is left to be trained."""
        from nucleotune.training.probe import fit_head  # scikit-learn takes a second

        rows = np.arange(len(self.table))
        given = {"device": self.device, "budget": self.budget}
        self.embeddings = embed(self.network, self.windows, rows, **given)
        self.facts["probe"] = fit_head(
            self.network.classifier,
            self.embeddings,
            self.targets,
            kind=self.task,
            train=self.train,
            valid=self.valid,
            c_grid=self.method["probe"]["c_grid"],
            method=f"method {self.method['title']!r}",
        )

    def _check_head(self, start_from: Path, found: Head) -> None:
        """Raise InputError unless the head of the model that is started from is of the same outputs.

        Two classes may be called otherwise: 0 and 1 stay what they are.
        """
        own = self.head
        two = own.task == "classes" and own.outputs == 2
        if found.task != own.task or (found.outputs != 2 if two else found.names != own.names):
            raise InputError(
                f"{start_from}: its head is of {_outputs(found)}, but this data set has {_outputs(own)}: what starts "
                f"from a trained model goes on with its head; start from one of the same outputs, or from a checkpoint"
            )

    def _check_padding(self, network: torch.nn.Module) -> None:
        """Raise InputError if the encoder counts positions by another padding token than the tokenizer's."""
        own, expected = self.tokenizer.pad_id, network.config.pad_token_id
        family = FAMILIES[self.model["family"]]
        if family.by_padding and own != expected:
            raise InputError(
                f"model {self.model['title']!r}: its tokenizer pads with {own}, but family {family.name!r} counts "
                f"positions by the padding id {expected}; its tokenizer.json must give the padding token that id"
            )


def _outputs(head: Head) -> str:
    """A head in words."""
    names = ", ".join(head.names[:10]) + (" ..." if len(head.names) > 10 else "")
    return f"{head.outputs} {head.task}" + (f" ({names})" if names else "")


def _in_several(windows: TokenWindows) -> dict[str, Any]:
    """How many sequences are read in several windows, and the mean and the largest number of windows of all."""
    counts = windows.counts
    return {
        "count": int((counts > 1).sum()),
        "share": float((counts > 1).mean()),
        "mean": float(counts.mean()),
        "most": int(counts.max()),
    }
