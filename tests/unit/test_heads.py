"""Profile and count heads: shapes, what each output may see, and slow references written out position by position."""

import pytest
import torch

from nucleotune.models.heads import BPNet, ConvHead, DilatedHead, ProfileConv1d

SMALL_BPNET = {"filters": 6, "layers": 3, "first_kernel": 5, "profile_kernel": 7}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def slow_convolution(layer, x):
    """(channels, positions) -> (outputs, positions), zeros outside; summed tap by tap."""
    outputs, _, taps = layer.weight.shape
    (dilation,) = layer.dilation
    result = layer.bias[:, None].repeat(1, x.shape[1])
    for position in range(x.shape[1]):
        for tap in range(taps):
            source = position + (tap - taps // 2) * dilation
            if 0 <= source < x.shape[1]:
                result[:, position] += layer.weight[:, :, tap] @ x[:, source]
    assert result.shape[0] == outputs
    return result


def slow_bpnet(net, x):
    x = slow_convolution(net.first, x).clamp(min=0)
    for layer in net.dilated:
        x = x + slow_convolution(layer, x).clamp(min=0)
    pooled = sum(x[:, i] for i in range(x.shape[1])) / x.shape[1]
    return slow_convolution(net.profile, x), net.counts.weight @ pooled + net.counts.bias


def one_hot(batch, length):
    return torch.nn.functional.one_hot(torch.randint(4, (batch, length)), 4).float().mT


@pytest.mark.parametrize(("taps", "length"), [(1, 4), (2, 9), (7, 5), (75, 40), (76, 40)])
def test_profile_convolution_is_a_convolution(taps, length):
    fast = ProfileConv1d(3, 2, taps)
    plain = torch.nn.Conv1d(3, 2, taps, padding="same")
    plain.load_state_dict(fast.state_dict())
    signal, slope = torch.randn(2, 3, length), torch.randn(2, 2, length)
    outputs = [convolution(signal) for convolution in (fast, plain)]
    assert torch.allclose(*outputs, atol=1e-5)
    gradients = [
        torch.autograd.grad(o, c.weight, slope)[0]
        for o, c in zip(outputs, (fast, plain), strict=True)
    ]
    assert torch.allclose(*gradients, atol=1e-4)


@torch.no_grad()
def test_bpnet_equals_the_formula():
    net, sequences = BPNet(**SMALL_BPNET), one_hot(2, 20)
    profile, counts = net(sequences)
    assert profile.shape == (2, 2, 20) and counts.shape == (2, 2)
    for i in range(2):
        slow_profile, slow_counts = slow_bpnet(net, sequences[i])
        assert torch.allclose(profile[i], slow_profile, atol=1e-5)
        assert torch.allclose(counts[i], slow_counts, atol=1e-5)


@torch.no_grad()
def test_dilated_head_equals_the_formula():
    head, hidden = DilatedHead(5, filters=4, layers=5, tracks=3), torch.randn(2, 12, 5)
    profile, counts = head(hidden)
    assert profile.shape == (2, 3, 12) and counts.shape == (2, 3)
    slow_profile, slow_counts = slow_bpnet(head, hidden[1].T)
    assert torch.allclose(profile[1], slow_profile, atol=1e-5)
    assert torch.allclose(counts[1], slow_counts, atol=1e-5)


@torch.no_grad()
def test_conv_head_equals_the_formula():
    head, hidden = ConvHead(6, widths=(5, 4), tracks=2), torch.randn(3, 10, 6)
    head(hidden)  # moves the running statistics away from 0 and 1
    head.eval()
    profile, counts = head(hidden)
    assert profile.shape == (3, 2, 10) and counts.shape == (3, 2)
    x = hidden[2].T
    for convolution, norm in ((head.blocks[0], head.blocks[1]), (head.blocks[3], head.blocks[4])):
        x = slow_convolution(convolution, x)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        x = ((x - norm.running_mean[:, None]) * scale[:, None] + norm.bias[:, None]).clamp(min=0)
    assert torch.allclose(profile[2], slow_convolution(head.profile, x), atol=1e-5)
    assert torch.allclose(counts[2], head.counts.weight @ x.mean(1) + head.counts.bias, atol=1e-5)


def test_field_of_view():
    """One profile logit sees what its kernels reach, and no more; the counts see everything."""
    net, sequence = BPNet(**SMALL_BPNET), one_hot(1, 101).requires_grad_()
    profile, counts = net(sequence)
    (seen,) = torch.autograd.grad(profile[0, 0, 50], sequence, retain_graph=True)
    reach = 2 + (2 + 4 + 8) + 3
    positions = seen[0].abs().sum(0).nonzero().flatten()
    assert positions.min() >= 50 - reach and positions.max() <= 50 + reach
    assert len(positions) > reach
    (seen,) = torch.autograd.grad(counts[0, 0], sequence)
    assert seen[0].abs().sum(0).count_nonzero() > 95


@pytest.mark.parametrize("head", [DilatedHead(8, filters=4, layers=2), ConvHead(8, widths=(4, 4))])
def test_gradients_reach_the_hidden_states(head):
    hidden = torch.randn(2, 295, 8, requires_grad=True)
    profile, counts = head(hidden)
    (profile.log_softmax(-1)[..., 3].sum() + counts.sum()).backward()
    assert all(p.grad is not None and p.grad.any() for p in head.parameters())
    assert hidden.grad.any()
