"""Time and memory of all attention sums, beside a plain forward pass and beside attention matrices.

    python benchmarks/attention.py [--small] [--tokens 1536] [--repeats 5]

The model is BERT-base with random weights (`--small`: 4 layers of 256), on the CPU. Three ways, for inputs of 99 (a
101-nt sequence in 3-mers and two special tokens make 101) to 1,536 tokens:

    plain     the forward pass that a prediction makes
    sums      the same pass with `attention_sums`: [CLS], the sequence, 15 properties (4 region types, 5 boundaries,
              6 structures), for every head and sequence
    matrices  a pass with output_attentions=True, and the same sums from its matrices

and, as the statistic that needs more than properties, `raw`: `attention_to_tokens` in 15 heads. All must agree before
they are timed. Times are CPU seconds on one thread, taken in turns in one process, on as many sequences as `--tokens`
holds; the fastest of each counts. Peak memory is that of a process of its own each, on two sequences, above what the
loaded model takes (Linux only).

Targets: `sums` at most 30 % slower than `plain` at every length; its peak memory grows linearly, that of `matrices`
with the square.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from transformers import PreTrainedModel

from nucleotune.attention.capture import AttentionSums, attention_sums, attention_to_tokens
from nucleotune.models.load import build_classifier
from nucleotune.sequence.kmers import TokenizedSequences

LENGTHS = (99, 256, 512, 1024, 1536)
PROPERTIES = 15
MAX_EXTRA_TIME = 0.30
TOLERANCE = 1e-4
#: Exponents of growth with the length, between MEMORY_LENGTHS: at most and at least.
MEMORY_LENGTHS = (512, 1536)
LINEAR, SQUARE = 1.25, 1.6
MEMORY_SEQUENCES = 2
WAYS = ("plain", "sums", "raw", "matrices")


def make_classifier(small: bool, attention: str) -> PreTrainedModel:
    """BERT-base, or a third of it, for up to 1,536 tokens; weights so large that attention is not even."""
    width, layers = (256, 4) if small else (768, 12)
    model = {
        "title": "benchmark",
        "family": "bert",
        "tokenizer": {"kind": "kmer", "k": 3},
        "max_tokens": LENGTHS[-1],
        "architecture": {
            "vocab_size": 69,
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": width // 64,
            "intermediate_size": 4 * width,
            "max_position_embeddings": LENGTHS[-1],
        },
        "parameters": None,
    }
    classifier = build_classifier(model, seed=0, attention=attention)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if name.endswith(("query.weight", "key.weight")):
                parameter.mul_(3)
    return classifier.eval()


class Case:
    """`n` random inputs of one length, and the four ways to read them."""

    def __init__(self, small: bool, length: int, n: int, way: str | None = None) -> None:
        rng = np.random.default_rng(length)
        tokens = rng.integers(5, 69, n * length).astype(np.uint16)
        offsets = np.arange(n + 1) * length
        self.tokenized = TokenizedSequences(
            tokens, offsets, np.zeros(n, np.int64), np.zeros(n, bool), 0
        )
        self.content = np.ones(n * length, dtype=bool)
        self.content[offsets[:-1]] = self.content[offsets[1:] - 1] = False
        self.properties = rng.random((n * length, PROPERTIES)) < 0.2
        self.ids = torch.from_numpy(tokens.astype(np.int64)).view(n, length)
        if way != "matrices":
            self.classifier = make_classifier(small, "sdpa")
        if way in (None, "matrices"):
            self.eager = make_classifier(small, "eager")
        config = (self.eager if way == "matrices" else self.classifier).config
        layers, heads = config.num_hidden_layers, config.num_attention_heads
        self.heads = [(i % layers, (5 * i) % heads) for i in range(PROPERTIES)]

    @torch.inference_mode()
    def plain(self) -> None:
        """Predict."""
        self.classifier.base_model(input_ids=self.ids)

    def sums(self) -> AttentionSums:
        """All sums, without matrices."""
        return attention_sums(
            self.classifier,
            self.tokenized,
            self.content,
            self.properties,
            max_tokens=self.ids.numel(),
        )

    def raw(self) -> np.ndarray:
        """Attention to every token in some heads."""
        return attention_to_tokens(
            self.classifier,
            self.tokenized,
            self.content,
            self.heads,
            max_tokens=self.ids.numel(),
        )

    @torch.inference_mode()
    def matrices(self) -> AttentionSums:
        """The same sums as `sums`, from matrices."""
        attentions = self.eager.base_model(input_ids=self.ids, output_attentions=True).attentions
        inside = torch.from_numpy(self.content).view(self.ids.shape).float()
        g = torch.from_numpy(self.properties).view(*self.ids.shape, -1) * inside[..., None]
        g = torch.cat([inside[..., None], g], dim=-1)
        to_class = torch.stack([a[..., 0].sum(-1) for a in attentions], dim=1)
        received = torch.stack([inside[:, None, None] @ a for a in attentions], dim=1)
        shares = (received @ g[:, None, None])[..., 0, :]
        return AttentionSums(to_class.numpy(), shares[..., 0].numpy(), shares[..., 1:].numpy())

    def agree(self) -> bool:
        """Whether the ways give the same numbers, and none that says little: heads differ."""
        ours, theirs, raw = self.sums(), self.matrices(), self.raw()
        same = all(
            np.allclose(getattr(ours, name), getattr(theirs, name), rtol=TOLERANCE, atol=0)
            for name in ("to_class", "to_sequence", "to_property")
        )
        per_token = np.where(self.content[:, None], raw, 0)
        received = np.add.reduceat(per_token, self.tokenized.offsets[:-1])
        expected = theirs.to_sequence[:, [i for i, _ in self.heads], [j for _, j in self.heads]]
        return (
            same
            and np.allclose(received, expected, rtol=TOLERANCE, atol=0)
            and ours.to_class.std() > 0.1
        )


def seconds(work: Callable) -> float:
    """CPU time of one call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def peak_memory(arguments: list[str]) -> float:
    """MiB that one way took above the loaded model, in a process of its own (see `measure_memory`)."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        check=True,
        capture_output=True,
        text=True,
        # Freed memory goes back at once: otherwise what the process has kept would hide what a call takes.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
    )
    return float(done.stdout)


def measure_memory(small: bool, way: str, length: int) -> float:
    """MiB between the memory of this process with a loaded, used model and its peak in one call."""
    work = getattr(Case(small, length, MEMORY_SEQUENCES, way), way)
    getattr(Case(small, 16, 1, way), way)()  # libraries, thread pools
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _status("VmRSS")
    work()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """KiB, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> int:
    """Compare the ways; 0 if they agree and all targets are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--tokens", type=int, default=1536)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory-of", nargs=2, metavar=("WAY", "LENGTH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory_of:
        way, length = options.memory_of
        print(measure_memory(options.small, way, int(length)))
        return 0

    common = ["--small"] if options.small else []
    print("            CPU seconds                          ratio to plain               peak MiB")
    print(f"{'tokens':>6}{'n':>4}  " + "".join(f"{way:>9}" for way in WAYS), end="  ")
    print("".join(f"{way:>9}" for way in WAYS[1:]) + "  " + "".join(f"{w:>9}" for w in WAYS))
    slowest, memory = 0.0, {}
    for length in LENGTHS:
        n = max(1, options.tokens // length)
        case = Case(options.small, length, n)
        if not case.agree():
            print(f"{length} tokens: the ways give different numbers")
            return 1
        times = {way: math.inf for way in WAYS}
        for repeat in range(options.repeats):
            for way in WAYS:
                if way != "matrices" or repeat < 2:
                    times[way] = min(times[way], seconds(getattr(case, way)))
        del case
        for way in WAYS:
            memory[way, length] = peak_memory([*common, "--memory-of", way, str(length)])
        ratios = {way: times[way] / times["plain"] for way in WAYS}
        slowest = max(slowest, ratios["sums"] - 1)
        print(
            f"{length:>6}{n:>4}  "
            + "".join(f"{times[way]:>9.3f}" for way in WAYS)
            + "  "
            + "".join(f"{ratios[way]:>9.2f}" for way in WAYS[1:])
            + "  "
            + "".join(f"{memory[way, length]:>9.0f}" for way in WAYS),
            flush=True,
        )

    short, long = MEMORY_LENGTHS
    growth = {
        way: math.log(memory[way, long] / memory[way, short]) / math.log(long / short)
        for way in WAYS
    }
    print(f"\nsums, time on top of plain, at most  {slowest:.0%} (target {MAX_EXTRA_TIME:.0%})")
    print(
        f"peak memory grows from {short} to {long} tokens with the length to the power of "
        + ", ".join(f"{power:.2f} ({way})" for way, power in growth.items())
    )
    print(f"targets: at most {LINEAR} (sums), at least {SQUARE} (matrices)")
    reached = (
        slowest <= MAX_EXTRA_TIME and growth["sums"] <= LINEAR and growth["matrices"] >= SQUARE
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
