"""The mask of padded batches for stock transformers, made without waiting for the device.

transformers asks whether anything is padded at all, and so waits at the start of every forward pass for all that the
device still computes. The caller knows: a mask is given where something is padded (`training.batches.collate`).
"""

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

#: transformers' `sdpa` but for its mask; what `attn_implementation` says.
SDPA = "sdpa_unasked"


def padding_mask(
    *args, attention_mask: torch.Tensor | None = None, **kwargs
) -> torch.Tensor | None:
    """Arguments and result are those of transformers' `sdpa_mask`."""
    kwargs["allow_is_bidirectional_skip"] = attention_mask is None
    return sdpa_mask(*args, attention_mask=attention_mask, **kwargs)


AttentionInterface.register(SDPA, sdpa_attention_forward)
AttentionMaskInterface.register(SDPA, padding_mask)
