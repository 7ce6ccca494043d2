"""What is predicted, and where and how: splits, device, precision, outputs of many examples."""

import logging
import resource
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch.utils.checkpoint import checkpoint

from nucleotune.contracts import further_tests
from nucleotune.devices import no_gpu
from nucleotune.errors import InputError
from nucleotune.models.probe import Probe
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.sequence.token_windows import TokenWindows
from nucleotune.training import parallel
from nucleotune.training.batches import collate, micro_batches
from nucleotune.training.memory import TokenBudget

logger = logging.getLogger(__name__)

#: Least compute capability of a GPU (Ampere) whose arithmetic and fused attention know bf16.
BF16_FROM = (8, 0)

#: Splits that get predictions, as further test sets do; `pretrain` serves training only.
PREDICTED_SPLITS = ("train", "valid", "test")

#: Outputs (windows, outputs) of a sequence's windows -> its own, (outputs,).
POOLED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "mean": lambda outputs: outputs.mean(0),
    "max": lambda outputs: outputs.amax(0),
}


def predicted_splits(examples: pd.DataFrame) -> list[str]:
    """Splits of `examples` that get predictions."""
    return [*PREDICTED_SPLITS, *further_tests(examples["split"])]


def resolve_device(device: str | None, threads: int | None) -> torch.device:
    """The device to compute on (None: CUDA if there is one), with torch set up for it.

    Sets torch's thread count, and process-wide flags: on the CPU deterministic algorithms, on CUDA TF32 matrix
    products for what autocast leaves in fp32, and no attention by cuDNN. That one makes a plan for every new shape of a
    batch, 0.1 to 1 s each, while batches here have hundreds of shapes; rounds dropout to sixteenths in torch 2.11
    (pytorch#174245); and gave gradients that are no numbers for some biases in 2.13 (pytorch#196678).

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
    torch.backends.cuda.enable_cudnn_sdp(False)
    return resolved


def _checked_device(name: str) -> torch.device:
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = ["cpu", *(["cuda"] if here else []), *(f"cuda:{i}" for i in range(here))]
    if name not in known:
        why = f" ({no_gpu()})" if name == "cuda" else ""
        raise InputError(
            f"device {name!r} is not available on this machine{why}; expected one of {', '.join(known)}"
        )
    return torch.device(name)


def precision_of(capability: tuple[int, int]) -> str:
    """What the encoder computes in on a GPU of this compute capability: `bf16` (autocast) or `fp32`.

    Older GPUs have fp16 only, whose gradients would need scaling: they compute in fp32, which is slower and exact.
    """
    return "bf16" if capability >= BF16_FROM else "fp32"


def precision(device: torch.device) -> str:
    """What the encoder computes in: see `precision_of`; on the CPU `fp32`."""
    return (
        precision_of(torch.cuda.get_device_capability(device)) if device.type == "cuda" else "fp32"
    )


def lowered(device: torch.device, encoder: bool = True) -> torch.autocast:
    """A context in which an encoder computes in `precision`; what is none (`encoder` false) stays in fp32."""
    low = encoder and precision(device) == "bf16"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=low)


def log_precision(device: torch.device) -> None:
    """Say in the log what is computed in, on which device."""
    if device.type != "cuda":
        logger.info("on the CPU, in fp32")
        return
    name, capability = torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device)
    if precision(device) == "bf16":
        logger.info("on %s, in bf16; heads and losses in fp32", name)
    else:
        logger.info(
            "on %s, in fp32: bf16 needs compute capability %d.%d or higher, this has %d.%d. Training takes several "
            "times as long",
            *(name, *BF16_FROM, *capability),
        )


def forward(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences | TokenWindows,
    indices: np.ndarray,
    device: torch.device,
) -> torch.Tensor:
    """Logits, fp32 (len(indices), outputs), of some sequences or windows in one pass."""
    ids, mask = collate(tokenized, indices, device)
    with lowered(device):
        logits = classifier(input_ids=ids, attention_mask=mask).logits
    return logits.float()


def pooled_logits(
    classifier: torch.nn.Module,
    windows: TokenWindows,
    indices: np.ndarray,
    *,
    device: torch.device,
    tokens: int,
) -> torch.Tensor:
    """Logits, fp32 (len(indices), outputs), of one micro-batch of sequences; see `pooled`."""
    return pooled(lambda part: forward(classifier, windows, part, device), windows, indices, tokens)


def pooled(
    outputs: Callable[[np.ndarray], torch.Tensor],
    windows: TokenWindows,
    indices: np.ndarray,
    tokens: int,
) -> torch.Tensor:
    """Outputs (len(indices), ...) of one micro-batch of sequences, pooled over their windows.

    Windows of more than `tokens` tokens are computed one part after the other; for gradients the parts are computed
    again, so that the memory holds one of them at a time (Chen et al. 2016, arXiv:1604.06174).

    outputs: of some windows, whose numbers it is given, in one pass.
    """
    chosen = windows.of(indices)
    at_once = max(1, tokens // int(windows.sizes[chosen].max()))
    if len(chosen) <= at_once:
        found = outputs(chosen)
    else:
        parts = np.split(chosen, range(at_once, len(chosen), at_once))
        found = torch.cat([checkpoint(outputs, part, use_reentrant=False) for part in parts])
    return found if len(chosen) == len(indices) else pool(found, windows, indices)


def pool(outputs: torch.Tensor, windows: TokenWindows, indices: np.ndarray) -> torch.Tensor:
    """Outputs (len(indices), ...) of sequences from those of all their windows, one sequence after the other."""
    of_each = outputs.split(windows.counts[indices].tolist())
    return torch.stack([POOLED[windows.pooling](one) for one in of_each])


def embed(
    probe: Probe,
    windows: TokenWindows,
    indices: np.ndarray,
    *,
    device: torch.device,
    budget: TokenBudget,
) -> torch.Tensor:
    """Mean-pooled embeddings, fp32 (len(indices), hidden size), in the order of `indices`, on the CPU."""
    probe.eval()

    def of_windows(part: np.ndarray) -> torch.Tensor:
        ids, mask = collate(windows, part, device)
        with lowered(device):
            return probe.embed(mask, input_ids=ids)

    def embedded(part: np.ndarray) -> tuple[torch.Tensor]:
        return (pooled(of_windows, windows, indices[part], budget.tokens),)

    (found,) = predict_parts(embedded, windows.lengths[indices], budget)
    return found


def predict_logits(
    classifier: torch.nn.Module,
    windows: TokenWindows,
    indices: np.ndarray,
    *,
    device: torch.device,
    budget: TokenBudget,
) -> np.ndarray:
    """Logits, float64 (len(indices), outputs), in the order of `indices`; see `predict_parts`."""
    classifier.eval()

    def outputs(part: np.ndarray) -> tuple[torch.Tensor]:
        rows, tokens = indices[part], budget.tokens
        return (pooled_logits(classifier, windows, rows, device=device, tokens=tokens),)

    (logits,) = predict_parts(outputs, windows.lengths[indices], budget)
    return logits.double().numpy()


@torch.inference_mode()
def predict_parts(
    outputs: Callable[[np.ndarray], tuple[torch.Tensor, ...]],
    sizes: np.ndarray,
    budget: TokenBudget,
) -> list[torch.Tensor]:
    """Outputs of many examples, on the CPU.

    Processes that train together share the work, and each gets all outputs.

    Args:
        outputs: gives one or more outputs (examples, ...) of the examples whose numbers it is given.
        sizes: tokens of each example, (n,).
        budget: of one call.
    """
    mine = parallel.share(np.arange(len(sizes)), sizes)

    def compute(tokens: int) -> tuple[list[np.ndarray], list[tuple[torch.Tensor, ...]]]:
        parts = list(micro_batches(mine, sizes, tokens))
        return parts, [outputs(part) for part in parts]

    parts, found = budget.fit(compute, longest=int(sizes[mine].max(initial=0)))
    own = [torch.cat(each).cpu() for each in zip(*found, strict=True)]
    shares = [(parts, own) for parts, own in parallel.gather((parts, own)) if parts]
    order = np.concatenate([part for parts, _ in shares for part in parts])
    back = torch.from_numpy(order).argsort()
    return [torch.cat(each)[back] for each in zip(*(own for _, own in shares), strict=True)]


def peak_memory_mb(device: torch.device) -> float:
    """Most memory used so far, MiB: of the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
