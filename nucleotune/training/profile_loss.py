"""The loss of a profile regression: BPNet's, as the polyadenylation study uses it (its section 3.1.1).

For one sequence and track with observed counts k, total n, predicted probabilities p and predicted log total c:

    profile_weight * -log multinomial(k | n, p)  +  count_weight * (log(1 + n) - c)^2

averaged over tracks and sequences; the study's weights are 0.8 and 0.2. The multinomial has its coefficient
log(n! / prod k!), as in the study's equation and program. It does not depend on the prediction and so moves no weight,
but it sets the scale: without it, the entropy of the reads themselves would be added, which no model can lower, and the
values would not be those of the study's table 4 (711 to 939). A track without reads gives no profile loss.
"""

import torch


def log_coefficients(counts: torch.Tensor) -> torch.Tensor:
    """log(n! / prod k!) of counts (..., positions), float64 (...)."""
    counts = counts.double()
    return torch.lgamma(counts.sum(-1) + 1) - torch.lgamma(counts + 1).sum(-1)


def profile_loss(
    logits: torch.Tensor, counts: torch.Tensor, coefficients: torch.Tensor
) -> torch.Tensor:
    """-log multinomial of each sequence and track, (batch, tracks).

    Args:
        logits: (batch, tracks, positions).
        counts: of the same shape, float.
        coefficients: `log_coefficients` of them, (batch, tracks).
    """
    return -(counts * logits.log_softmax(-1)).sum(-1) - coefficients


def count_loss(log_counts: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """(log(1 + n) - predicted)^2 of each sequence and track, (batch, tracks)."""
    return (counts.sum(-1).log1p() - log_counts).square()


def mean_losses(
    logits: torch.Tensor, log_counts: torch.Tensor, counts: torch.Tensor
) -> list[float]:
    """Mean profile loss and count loss over sequences and tracks; counts (n, tracks, positions)."""
    each = (
        profile_loss(logits.double(), counts.double(), log_coefficients(counts)),
        count_loss(log_counts.double(), counts.double()),
    )
    return [float(losses.mean()) for losses in each]
