"""The training loop of the networks: batches, order of rows, early stop."""

import numpy as np
import pytest
import torch

from nucleotune.baselines import networks
from nucleotune.baselines.networks import EarlyStop, batches, predict, train


def test_no_batch_is_a_single_row():
    rows = np.arange(9)
    assert [len(batch) for batch in batches(rows, 4)] == [4, 5]
    assert [len(batch) for batch in batches(rows[:8], 4)] == [4, 4]
    assert [len(batch) for batch in batches(rows[:7], 4)] == [4, 3]
    assert [len(batch) for batch in batches(rows[:3], 4)] == [3]
    assert np.concatenate(batches(rows, 4)).tolist() == rows.tolist()


class Constant(torch.nn.Module):
    """One number for every row; `losses` are its validation losses in their order, its training loss is itself."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(0.0))
        self.losses = iter(losses)

    def forward(self, rows: np.ndarray) -> torch.Tensor:
        value = self.value if self.training else torch.tensor(next(self.losses))
        return value.expand(len(rows))


def train_constant(valid_losses: list[float], patience: int, epochs: int = 20):
    module = Constant(valid_losses)
    seen = []
    trained = train(
        module,
        lambda batch: seen.append(batch) or batch,
        torch.zeros(6),
        lambda outputs, targets: outputs.mean(),
        torch.optim.SGD(module.parameters(), lr=1.0),
        stage="test",
        epochs=epochs,
        batch_size=3,
        rng=np.random.default_rng(0),
        early_stop=EarlyStop(lambda batch: batch, torch.zeros(4), patience),
    )
    return module, trained, seen


@pytest.mark.parametrize(
    ("valid_losses", "patience", "epochs"),
    [
        ([3, 2, 2, 2, 2], 2, 5),  # as low as before is not lower
        ([3, 2, 4, 4, 1, 5, 5, 5], 2, 8),  # starts anew after a minimum
        ([3, 4], 0, 2),
        ([9, 8, 7, 6], 1, 4),  # to the last epoch
    ],
)
def test_early_stop_is_one_epoch_after_patience_with_the_last_weights(
    valid_losses, patience, epochs
):
    module, trained, seen = train_constant(
        list(map(float, valid_losses)), patience, epochs=len(valid_losses)
    )
    assert (trained.epochs, trained.valid_loss) == (epochs, valid_losses[epochs - 1])
    # Each of the two steps of an epoch takes 1 off.
    assert module.value.item() == -2 * epochs
    assert trained.loss == -2 * epochs + 1.5
    assert len(seen) == 2 * epochs


def test_each_epoch_sees_all_rows_in_another_order():
    _, _, seen = train_constant([4.0, 3.0, 2.0], 5, epochs=3)
    orders = [tuple(np.concatenate(seen[i : i + 2]).tolist()) for i in (0, 2, 4)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len(set(orders)) == 3


def test_prediction_is_without_dropout_and_in_order():
    network = torch.nn.Dropout(0.5)
    values = torch.arange(600.0)
    outputs = predict(network, lambda batch: values[batch], 600)
    assert outputs.dtype == torch.float64
    assert outputs.tolist() == values.tolist()


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    with pytest.raises(ZeroDivisionError), networks.one_thread():
        assert torch.get_num_threads() == 1
        _ = 1 / 0
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)
