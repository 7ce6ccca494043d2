"""Out of GPU memory is no reason to stop: the micro-batch is halved, the batch stays what it is."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from nucleotune.errors import InputError

logger = logging.getLogger(__name__)

#: How libraries that torch calls say that the memory of the GPU is full, in a RuntimeError.
_FULL = ("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "CUDA error: out of memory")

T = TypeVar("T")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the GPU is full, whoever says it."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _FULL)
    )


class TokenBudget:
    """Tokens that one micro-batch may hold; each time they do not fit into the memory, half of them.

    Micro-batches only say in how many parts a batch's gradient is summed up, so no result depends on the budget (beyond
    the order of sums).
    """

    def __init__(self, tokens: int, window: int | None = None) -> None:
        """`window`: tokens of the parts that a longer example can be computed in; None where it cannot."""
        self.tokens, self.window = tokens, window

    def fit(self, work: Callable[[int], T], longest: int) -> T:
        """`work(tokens)`, again with half the tokens whenever it runs `out_of_memory`.

        Args:
            work: begins anew when it is called again.
            longest: tokens of the longest example in hand; below it, or a window of it, no micro-batch gets smaller.

        Raises:
            InputError: one example alone does not fit.
        """
        longest = min(longest, self.window or longest)
        while True:
            try:
                return work(self.tokens)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if self.tokens <= longest:
                    raise InputError(
                        f"out of GPU memory with a single example of {longest} tokens. Ask for a GPU with more memory, "
                        f"train with `adaptation: lora`, or lower the model's max_tokens"
                    ) from error
            # Outside the handler: until here the exception keeps the failed pass's tensors alive.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            before, self.tokens = self.tokens, max(self.tokens // 2, longest)
            logger.warning(
                "out of GPU memory: micro-batches of at most %d tokens instead of %d; the batch stays the same",
                *(self.tokens, before),
            )
