"""What is predicted, and where and how: splits, device, precision, logits of many examples."""

import resource

import numpy as np
import pandas as pd
import torch

from nucleotune.contracts import further_tests
from nucleotune.errors import InputError
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training import parallel
from nucleotune.training.batches import collate, micro_batches
from nucleotune.training.memory import TokenBudget

#: Splits that get predictions, as further test sets do; `pretrain` serves training only.
PREDICTED_SPLITS = ("train", "valid", "test")


def predicted_splits(examples: pd.DataFrame) -> list[str]:
    """Splits of `examples` that get predictions."""
    return [*PREDICTED_SPLITS, *further_tests(examples["split"])]


def resolve_device(device: str | None, threads: int | None) -> torch.device:
    """The device to compute on (None: CUDA if there is one), with torch set up for it.

    Sets torch's thread count, and process-wide flags: on the CPU deterministic algorithms, on CUDA TF32 matrix
    products for what autocast leaves in fp32.

    Raises:
        InputError: `device` is none, or not on this machine.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    resolved = _checked_device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if resolved.type == "cuda" and resolved.index is None:
        resolved = torch.device("cuda", torch.cuda.current_device())
    torch.use_deterministic_algorithms(resolved.type == "cpu")
    # Otherwise every new tensor is filled with NaN first, a cost that buys no determinism here.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if resolved.type == "cuda" else "highest")
    return resolved


def _checked_device(name: str) -> torch.device:
    here = torch.cuda.device_count()
    known = ["cpu", *(["cuda"] if here else []), *(f"cuda:{i}" for i in range(here))]
    if name not in known:
        raise InputError(
            f"device {name!r} is not available on this machine; expected one of {', '.join(known)}"
        )
    return torch.device(name)


def precision(device: torch.device) -> str:
    """What the forward pass computes in: `bf16` (autocast) on CUDA, `fp32` elsewhere."""
    return "bf16" if device.type == "cuda" else "fp32"


def forward(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    indices: np.ndarray,
    device: torch.device,
) -> tuple[torch.Tensor, int]:
    """Logits, fp32 (examples, 2), of one micro-batch, and the number of tokens computed, padding included."""
    ids, mask = collate(tokenized, indices, device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision(device) == "bf16"):
        logits = classifier(input_ids=ids, attention_mask=mask).logits
    return logits.float(), ids.numel()


@torch.inference_mode()
def predict_logits(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    indices: np.ndarray,
    *,
    device: torch.device,
    budget: TokenBudget,
) -> np.ndarray:
    """Logits, float64 (len(indices), 2), in the order of `indices`; the classifier is left in evaluation mode.

    Processes that train together share the work, and each gets all logits.
    """
    classifier.eval()
    lengths = tokenized.lengths[indices]
    mine = parallel.share(np.arange(len(indices)), lengths)

    def compute(tokens: int) -> torch.Tensor:
        logits = torch.zeros((len(indices), 2), dtype=torch.float64)
        parts = list(micro_batches(mine, lengths, tokens))
        if parts:
            computed = [forward(classifier, tokenized, indices[p], device)[0] for p in parts]
            logits[np.concatenate(parts)] = torch.cat(computed).double().cpu()
        return logits

    longest = int(lengths[mine].max(initial=0))
    return parallel.add_up(budget.fit(compute, longest)).numpy()


def peak_memory_mb(device: torch.device) -> float:
    """Most memory used so far, MiB: of the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
