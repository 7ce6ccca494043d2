"""Rates of the ways to explain a model, side by side in one run.

    python benchmarks/attribution.py [--sequences 24] [--length 300] [--device cpu] [--small] [--repeats 3]

A BPNet (64 filters, 8 layers; `--small`: 32 and 5) and a profile model on a language model of BERT-base's shape
(`--small`: 2 layers of 48), both with random weights, on the same random sequences of `--length` nt:

    predict                one forward pass a sequence, in batches
    DeepLIFT               of BPNet: 20 shuffled references a sequence
    integrated gradients   of the language model: 4 shuffled references, 32 steps
    mutagenesis            of both: every substitution, 3 a nucleotide

and modisco on contributions of 150 sequences in which three motifs were planted, in a process of its own: first with
empty compile caches, then again. Times are CPU seconds on one thread, on a GPU seconds; the fastest of `--repeats`
counts, modisco's are of one run each and count its child processes. Before they are timed, DeepLIFT's and the
gradients' sums are compared with the change of the output.

Quoted are ratios to a prediction: what an explanation costs, in forward passes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

BASES = "ACGT"
PLANTED = ("TATATA", "AATAAA", "TTTCAATT")

#: Most that a sum of contributions may be off, by the mean change of the output that it explains.
DEEPLIFT_OFF, GRADIENTS_OFF = 1e-3, 0.1

MODISCO_SEQUENCES, MODISCO_LENGTH = 150, 300


def fastest(function: Callable, repeats: int, device: str) -> tuple[float, object]:
    """Least seconds of several calls, CPU seconds on the CPU, and what the last one gave."""
    import torch

    clock = time.perf_counter if device == "cuda" else time.process_time
    seconds = []
    for _ in range(repeats):
        begin = clock()
        result = function()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(clock() - begin)
    return min(seconds), result


def profile_methods(small: bool) -> tuple[dict, dict, dict]:
    """Method files of BPNet and of a model on an encoder, and the encoder's model file."""
    bpnet = {
        "title": "BPNet",
        "network": "bpnet",
        "faithful": False,
        "adaptation": None,
        "sizes": {
            "filters": 32 if small else 64,
            "layers": 5 if small else 8,
            "first_kernel": 25,
            "profile_kernel": 25 if small else 75,
        },
    }
    encoder = {
        **bpnet,
        "title": "language model",
        "network": "encoder_conv",
        "adaptation": "frozen",
        "sizes": {"widths": [64, 32] if small else [512, 256, 128]},
    }
    width, layers = (48, 2) if small else (768, 12)
    model = {
        "title": "6-mers",
        "family": "bert",
        "tokenizer": {"kind": "kmer", "k": 6},
        "max_tokens": 512,
        "architecture": {
            "vocab_size": 4101,
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": 12,
            "intermediate_size": 4 * width,
            "max_position_embeddings": 512,
        },
        "parameters": None,
    }
    return bpnet, encoder, model


def make_model(method: dict, model: dict | None, length: int, device: str) -> Any:
    """A new profile model in evaluation mode, its weights so large that sequences differ in their output."""
    import torch

    from nucleotune.models.profile import build_profile_model

    built = build_profile_model(method, model, tracks=("a", "b"), length=length, seed=1).model
    network = built.network.to(device).eval().requires_grad_(False)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 2:
                parameter.mul_(2)
    return built


def report(title: str, sums: Any, limit: float, seconds: dict[str, float]) -> bool:
    """Print what was found of one model; seconds are of one sequence. Whether its sums add up."""
    off = abs(sums.delta).max() / abs(sums.values).mean()
    print(f"{title}: sums of contributions are off by {off:.1e} of the change, at most {limit:g}")
    for name, one in seconds.items():
        ratio = one / seconds["predict"]
        print(f"{title:15s} {name:21s} {1 / one:10.2f} sequences/s {ratio:8.0f} x predict")
    return bool(off < limit)


def networks(small: bool, length: int, sequences: list[str], device: str, repeats: int) -> bool:
    """Time BPNet; whether the sums add up."""
    import torch

    from nucleotune.attribution import deeplift
    from nucleotune.attribution.ism import network_mutagenesis
    from nucleotune.attribution.onehot import one_hot
    from nucleotune.attribution.targets import profile_target
    from nucleotune.training.kinds.profiles import predict_outputs

    method, _, _ = profile_methods(small)
    built = make_model(method, None, length, device)
    x, target = one_hot(sequences), profile_target()
    references = deeplift.shuffled_references(sequences, seed=1)
    inputs, network = built.inputs(sequences), built.network
    ways = {
        "predict": lambda: predict_outputs(network, inputs, torch.device(device)),
        "DeepLIFT": lambda: deeplift.deeplift(network, x, references, target),
        "mutagenesis": lambda: network_mutagenesis(network, x, target),
    }
    seconds, results = {}, {}
    for name, way in ways.items():
        total, results[name] = fastest(way, repeats, device)
        seconds[name] = total / len(sequences)
    return report(method["title"], results["DeepLIFT"], DEEPLIFT_OFF, seconds)


def language_models(
    small: bool, length: int, sequences: list[str], device: str, repeats: int
) -> bool:
    """Time a profile model on a language model; whether the sums add up."""
    import torch

    from nucleotune.attribution.explain import TokenModel, explain_tokens
    from nucleotune.attribution.selection import Chosen
    from nucleotune.attribution.targets import profile_target
    from nucleotune.training.kinds.profiles import predict_outputs

    _, method, model = profile_methods(small)
    built = make_model(method, model, length, device)
    chosen = Chosen([str(i) for i in range(len(sequences))], sequences, np.full(len(sequences), -1))
    first = Chosen(*(part[:1] for part in chosen))
    tokens = TokenModel(
        built.network.encoder.get_input_embeddings(),
        lambda ids, mask: built.network(ids),
        profile_target(),
        built.tokenizer,
        model,
        "right",
    )
    inputs = built.inputs(sequences)
    of_none, of_one = np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    ways = {
        "predict": lambda: predict_outputs(built.network, inputs, torch.device(device)),
        "integrated gradients": lambda: explain_tokens(tokens, chosen, of_none, 1),
    }
    seconds, results = {}, {}
    for name, way in ways.items():
        total, results[name] = fastest(way, repeats, device)
        seconds[name] = total / len(sequences)
    # Of one sequence, once, with its gradients: all of them would take long.
    both, _ = fastest(lambda: explain_tokens(tokens, first, of_one, 1), 1, device)
    seconds["mutagenesis"] = both - seconds["integrated gradients"]
    return report(method["title"], results["integrated gradients"], GRADIENTS_OFF, seconds)


def modisco() -> None:
    """Run modisco on planted motifs; print the CPU seconds of this process and its children."""
    from nucleotune.attribution.modisco import run_modisco

    generator = np.random.default_rng(0)
    shape = (MODISCO_SEQUENCES, MODISCO_LENGTH)
    codes = generator.choice(4, size=shape, p=[0.33, 0.17, 0.17, 0.33])
    hypothetical = generator.normal(0, 0.02, (*shape, 4))
    for i in range(MODISCO_SEQUENCES):
        for number in range(2):
            for k, motif in enumerate(PLANTED):
                begin = 40 + 120 * number + 30 * k + int(generator.integers(15))
                places = begin + np.arange(len(motif))
                codes[i, places] = [BASES.index(letter) for letter in motif]
                hypothetical[i, places, codes[i, places]] += 0.5
    with tempfile.TemporaryDirectory() as folder:
        found = run_modisco(
            np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1), hypothetical, f"{folder}/a.h5"
        )
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in spent)
    print(f"{seconds:.1f} {len(found.table)} {len(found.seqlets)}")


def modisco_twice() -> bool:
    """Start `modisco` with empty caches and again; whether it found the planted motifs."""
    well = True
    with tempfile.TemporaryDirectory() as folder:
        for caches in ("empty", "full"):
            done = subprocess.run(
                [sys.executable, __file__, "--modisco"],
                env={**os.environ, "NUMBA_CACHE_DIR": folder},
                capture_output=True,
                text=True,
                check=True,
            )
            seconds, patterns, seqlets = done.stdout.split()
            well &= int(patterns) >= len(PLANTED)
            print(
                f"modisco, caches {caches:5s} {seconds:>8s} CPU s, {MODISCO_SEQUENCES} sequences, {seqlets} seqlets,"
                f" {patterns} patterns"
            )
    return well


def main() -> int:
    """Time everything; 0 if sums add up and modisco finds what was planted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=24)
    parser.add_argument("--length", type=int, default=300)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--modisco", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.modisco:
        modisco()
        return 0
    well = modisco_twice()
    import torch

    torch.set_num_threads(1)
    letters = np.random.default_rng(1).choice(list(BASES), (options.sequences, options.length))
    sequences = ["".join(row) for row in letters]
    for measure in (networks, language_models):
        arguments = (options.length, sequences, options.device, options.repeats)
        well &= measure(options.small, *arguments)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
