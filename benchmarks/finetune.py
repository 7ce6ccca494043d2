"""Speed of fine-tuning: nucleotune's Trainer against a plain transformers.Trainer that pads every input alike.

    python benchmarks/finetune.py [--case lncrna] [--small] [--device cuda] [--steps 16] [--json results.json]

One process trains the same classifiers (random weights of `config/models`) on the same simulated sequences in turn:

    rbp        DNABERT-3, all weights, 101 nt, batches of 128
    promoters  DNABERT-6, all weights, 300 nt, batches of 32
    lncrna     LoRA-BERT, all weights, batches of 64 transcripts: log-normal lengths of mean 1,300 nt, at least 200 nt,
               cut at 1,536 tokens
    nt-lora    Nucleotide Transformer 500M, LoRA of rank 8 on every dense layer, 300 nt, batches of 32

`--small`, the default without a GPU, keeps family, tokenizer and lengths, but has two layers of 64 hidden units without
attention dropout, and batches of 16.

The plain side is what a script of the papers amounts to: transformers.Trainer as it comes (fused AdamW, gradient
clipping at 1, pinned memory), sdpa attention, no torch.compile, and a data set of tensors that were all padded before
the clock runs: `--pad-to longest`, to the longest sequence of the data, or `--pad-to model`, to the model's max_tokens.
transformers itself finds a mask without padding and drops it, so that a case whose sequences are all of one length
computes the same on both sides, and differs by the loops' overhead alone.

Both sides take the same batches in the same order, make as many optimiser steps, and compute in the same precision:
bf16 autocast on CUDA, fp32 on the CPU. First they must agree: without dropout, the first step's loss and gradient are
compared. Then each is timed from the end of its last warm-up step to the end of its last step, both `--repeats` times
in turn, each time on fresh sequences, of which the median counts: what is prepared for a shape of a batch is paid for
here as it is in a training. Evaluation and saving are outside.

tokens/s counts tokens of sequences, not padding. Useful work is

    (6 P + 4 F) n  +  12 h l n^2        operations for a sequence of n tokens

with P trained and F frozen parameters of the encoder (its embeddings and the head, which sees one token a sequence,
are left out), h hidden units and l layers: 2 operations a parameter and token forwards, 2 for the gradient of what went
in, and 2 for the gradient of the parameter, unless it is frozen (LoRA). On CUDA it is set against the bf16 matrix peak,
measured in the same run with products of 8,192 x 8,192 matrices. Peak memory is what torch had allocated on the GPU, or
on the CPU the resident memory of the whole process.

The exit status is 1 if a target of the machine is missed, 2 if the two sides disagree; all cases run in either case,
and the JSON file is written after each.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    # transformers.Trainer would spread a batch over all GPUs that it sees.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    # As in the workflow: threads that spin while they wait slow each other down on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# ruff: noqa: E402 (the lines above come before all other imports)

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers
from transformers import PrinterCallback, TrainingArguments

from nucleotune.devices import describe
from nucleotune.errors import InputError
from nucleotune.models.adapters import add_lora, head_modules
from nucleotune.models.load import build_classifier
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.models.weights import library_versions
from nucleotune.plugins import load_model
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training.batches import WINDOW_BATCHES, epoch_batches
from nucleotune.training.compute import peak_memory_mb, precision, resolve_device
from nucleotune.training.kinds.classes import ClassLearner
from nucleotune.training.trainer import Trainer

SEED = 1

#: Untimed steps at the beginning: one whole window of batches, so that all lengths have been seen.
WARMUP = WINDOW_BATCHES

#: What `--small` changes in an architecture. Dropout of attention would keep the CPU from its fused kernel.
SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "attention_probs_dropout_prob": 0.0,
}
SMALL_BATCH = 16
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}

#: Largest relative difference between the two sides' first loss, and between their gradients (L2 norm).
TOLERANCES = {"fp32": (1e-5, 1e-3), "bf16": (1e-2, 5e-2)}


@dataclass(frozen=True)
class Case:
    """One row of the table; `nucleotides` is the length of all sequences, None a mix of transcripts."""

    model: str
    nucleotides: int | None
    batch_size: int
    learning_rate: float
    micro_batch_tokens: int = 16384
    lora: dict[str, Any] | None = None


CASES = {
    "rbp": Case("dnabert-3", 101, 128, 2e-4),
    "promoters": Case("dnabert-6", 300, 32, 3e-5),
    "lncrna": Case("lora-bert", None, 64, 5e-5, micro_batch_tokens=65536),
    "nt-lora": Case("nt-500m-human", 300, 32, 1e-4, lora={"rank": 8, "alpha": 16, "dropout": 0.05}),
}

#: What must be reached at least: `ratio` of examples/s to the plain side, `peak_share` of the matrix peak.
TARGETS_H200 = {"rbp": {"ratio": 3.0}, "lncrna": {"ratio": 3.0, "peak_share": 0.4}}
TARGETS_CPU_SMALL = {"lncrna": {"ratio": 1.5}}


@dataclass(frozen=True)
class Job:
    """What both sides train on: examples in the order in which they are taken, and how."""

    case: Case
    model: dict[str, Any]
    sequences: list[str]
    tokenized: TokenizedSequences
    labels: np.ndarray
    order: np.ndarray
    pad_to: int
    steps: int
    device: torch.device

    def classifier(self, **architecture: float) -> torch.nn.Module:
        """A new one, always of the same weights; `architecture` overrides single fields."""
        model = self.model | {"architecture": self.model["architecture"] | architecture}
        classifier = build_classifier(model, seed=SEED)
        if self.case.lora is None:
            return classifier
        trained, targets = head_modules(classifier), model["lora_targets"]
        return add_lora(classifier, targets, **self.case.lora, seed=SEED, trained=trained)

    @property
    def timed(self) -> np.ndarray:
        """Indices of the examples in the timed steps."""
        return self.order[-self.steps * self.case.batch_size :]


def make_job(
    case: Case,
    *,
    small: bool,
    steps: int,
    pad_to_model: bool,
    device: torch.device,
    seed: int = SEED,
) -> Job:
    """Simulate and encode as many examples as `steps` and the warm-up take; `seed` is theirs."""
    model = load_model(case.model, [ROOT / "config"])
    if small:
        model |= {"architecture": model["architecture"] | SMALL, "parameters": None}
        case = replace(case, batch_size=SMALL_BATCH, micro_batch_tokens=16384)
    rng = np.random.default_rng(seed)
    n = (WARMUP + steps) * case.batch_size
    lengths = np.full(n, case.nucleotides or 0)
    if case.nucleotides is None:
        lengths = rng.lognormal(mean=6.89, sigma=0.75, size=n).astype(int).clip(min=200)
    sequences = ["".join(rng.choice(list("ACGT"), length)) for length in lengths]
    ids = [str(i) for i in range(n)]
    tokenized = make_tokenizer(model).encode(ids, sequences, "right")
    batches = epoch_batches(tokenized.lengths, case.batch_size, seed=seed, epoch=0)
    return Job(
        case,
        model,
        sequences,
        tokenized,
        labels=rng.integers(0, 2, n),
        order=np.concatenate(batches),
        pad_to=model["max_tokens"] if pad_to_model else int(tokenized.lengths.max()),
        steps=steps,
        device=device,
    )


def train_ours(
    job: Job, classifier: torch.nn.Module, steps: int, hook: Callable
) -> tuple[float, float]:
    """Train `steps` steps, `hook` called after the gradients of each; mean loss and share of padding."""
    ids = [str(i) for i in range(len(job.labels))]
    columns = {"id": ids, "sequence": job.sequences, "label": job.labels, "split": "train"}
    examples = pd.DataFrame(columns | {"group": ids})
    valid = examples[:2].assign(id=["v0", "v1"], label=[0, 1], split="valid")
    method = {
        "title": job.case.model,
        "train_splits": ["train"],
        "adaptation": "full",  # whatever `classifier` is, it is built already
        "view": "transcript",
        "truncation": "right",
        "training": {
            "epochs": 1,
            "max_steps": steps,
            "batch_size": job.case.batch_size,
            "learning_rate": job.case.learning_rate,
            "weight_decay": 0.01,
            "warmup_share": 0.0,
            "warmup_steps": None,
            "max_gradient_norm": 1.0,
            "evaluations_per_epoch": 1,
            "patience": 1,
            "micro_batch_tokens": job.case.micro_batch_tokens,
            "save_minutes": 60,
        },
    }
    examples = pd.concat([examples, valid], ignore_index=True)
    learner = ClassLearner(
        examples, method=method, model=job.model, seed=SEED, device=torch.device("cpu")
    )
    learner.network, learner.device = classifier.to(job.device), job.device
    trainer = Trainer(learner, SEED)
    trainer.optimizer.register_step_post_hook(hook)
    trainer.run(save=lambda state: None)
    return trainer.progress.rows[0]["loss"], trainer.progress.total.padding_share


class PaddedExamples(torch.utils.data.Dataset):
    """All examples of a job, in its order, padded to one length beforehand."""

    def __init__(self, job: Job) -> None:
        """Pad `job`'s examples to `job.pad_to`."""
        tokens, offsets = job.tokenized.tokens, job.tokenized.offsets
        ids = np.full((len(job.order), job.pad_to), job.tokenized.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, i in enumerate(job.order):
            sequence = tokens[offsets[i] : offsets[i + 1]]
            ids[row, : len(sequence)], mask[row, : len(sequence)] = sequence, 1
        self.tensors = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.from_numpy(job.labels[job.order]),
        }

    def __len__(self) -> int:
        return len(self.tensors["labels"])

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        return {name: tensor[i] for name, tensor in self.tensors.items()}


def train_plain(
    job: Job, classifier: torch.nn.Module, steps: int, hook: Callable
) -> tuple[float, float]:
    """Like `train_ours`, by transformers.Trainer."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            classifier,
            TrainingArguments(
                output_dir=folder,
                max_steps=steps,
                per_device_train_batch_size=job.case.batch_size,
                learning_rate=job.case.learning_rate,
                weight_decay=0.01,
                train_sampling_strategy="sequential",  # the job's order is a random one already
                bf16=precision(job.device) == "bf16",
                use_cpu=job.device.type == "cpu",
                save_strategy="no",
                disable_tqdm=True,
                seed=SEED,
            ),
            train_dataset=PaddedExamples(job),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.create_optimizer().register_step_post_hook(hook)
        loss = trainer.train().training_loss
    return loss, 1 - job.tokenized.lengths.mean() / job.pad_to


SIDES = {"ours": train_ours, "plain": train_plain}


def train(
    side: str, job: Job, classifier: torch.nn.Module, steps: int, hook: Callable
) -> tuple[float, float]:
    """Train on one side: `ours` under the flags of a run (see `resolve_device`), `plain` under those of torch."""
    torch.use_deterministic_algorithms(side == "ours" and job.device.type == "cpu")
    torch.backends.cuda.enable_cudnn_sdp(side == "plain")
    if side == "plain":
        classifier.config._attn_implementation = "sdpa"
    return SIDES[side](job, classifier, steps, hook)


def release(device: torch.device) -> None:
    """Give back what dead objects hold: both trainers are in reference cycles."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def first_step(job: Job, side: str) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients, by parameter, of one side's first step without dropout."""
    classifier, gradients = job.classifier(**NO_DROPOUT), {}

    def keep(*_: object) -> None:
        for name, parameter in classifier.named_parameters():
            if parameter.grad is not None:
                gradients[name] = parameter.grad.float().cpu().clone()

    return train(side, job, classifier, 1, keep)[0], gradients


def differences(job: Job) -> tuple[float, float]:
    """Relative difference of the two sides' loss, and of their gradient, in their first step without dropout."""
    if job.case.lora is not None:
        job = replace(job, case=replace(job.case, lora=job.case.lora | {"dropout": 0.0}))
    first = {}
    for side in SIDES:
        first[side] = first_step(job, side)
        release(job.device)
    (loss, ours), (plain_loss, plain) = first["ours"], first["plain"]
    if ours.keys() != plain.keys():
        raise InputError(f"only one side trains {', '.join(sorted(ours.keys() ^ plain.keys()))}")
    square = sum(float((ours[name] - plain[name]).square().sum()) for name in plain)
    norm = sum(float(gradient.square().sum()) for gradient in plain.values())
    return abs(loss - plain_loss) / plain_loss, (square / norm) ** 0.5


class Clock:
    """A hook of the optimiser that times the steps after the warm-up, and notes the peak memory meanwhile."""

    def __init__(self, job: Job) -> None:
        self.device, self.last, self.count = job.device, WARMUP + job.steps, 0
        self.seconds = self.peak_mb = 0.0

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count not in (WARMUP, self.last):
            return
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        if self.count == WARMUP:
            reset_peak_memory(self.device)
            self.seconds = -time.perf_counter()
        else:
            self.seconds += time.perf_counter()
            self.peak_mb = peak_memory_mb(self.device)


def reset_peak_memory(device: torch.device) -> None:
    """Let `peak_memory_mb` begin anew; on the CPU this is possible on Linux only."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif (reset := Path("/proc/self/clear_refs")).exists():
        reset.write_text("5")


def measure(job: Job, side: str) -> dict[str, float]:
    """Time one side once: seconds, peak_memory_mb, padding_share."""
    clock, classifier = Clock(job), job.classifier()
    _, padding_share = train(side, job, classifier, WARMUP + job.steps, clock)
    del classifier
    release(job.device)
    return {
        "seconds": clock.seconds,
        "peak_memory_mb": clock.peak_mb,
        "padding_share": padding_share,
    }


def useful_work(job: Job) -> float:
    """Operations that the examples of the timed steps cost without padding; formula: this module's docstring."""
    with torch.device("meta"):
        encoder = [
            (parameter.numel(), 6 if parameter.requires_grad else 4)
            for name, parameter in job.classifier().named_parameters()
            if ".encoder." in name
        ]
    sizes, lengths = job.model["architecture"], job.tokenized.lengths[job.timed].astype(float)
    attention = 12 * sizes["hidden_size"] * sizes["num_hidden_layers"]
    return sum(n * cost for n, cost in encoder) * lengths.sum() + attention * (lengths**2).sum()


def matrix_peak(device: torch.device, size: int = 8192) -> float:
    """Operations a second of the fastest of 10 x 10 bf16 products of two size x size matrices."""
    a, b = (torch.randn(size, size, dtype=torch.bfloat16, device=device) for _ in range(2))
    seconds = []
    for _ in range(10):
        torch.cuda.synchronize(device)
        begin = time.perf_counter()
        for _ in range(10):
            a @ b
        torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begin)
    return 10 * 2 * size**3 / min(seconds)


def compare(name: str, jobs: Sequence[Job], peak: float | None) -> dict[str, Any]:
    """Time both sides on each of `jobs` in turn; JSON values of one case."""
    runs: dict[str, list] = {side: [] for side in SIDES}
    for job in jobs:
        for side in SIDES:
            runs[side].append(measure(job, side))
    examples = len(jobs[0].timed)
    tokens = [int(job.tokenized.lengths[job.timed].sum()) for job in jobs]
    pad_to, mean = jobs[0].pad_to, float(np.mean(tokens)) / examples
    result: dict[str, Any] = {"case": name, "pad_to": pad_to, "mean_tokens": mean}
    work = None if peak is None else np.array([useful_work(job) / peak for job in jobs])
    for side, measured in runs.items():
        seconds = np.array([run["seconds"] for run in measured])
        result[side] = {
            "examples_per_second": float(np.median(examples / seconds)),
            "tokens_per_second": float(np.median(tokens / seconds)),
            "padding_share": float(np.median([run["padding_share"] for run in measured])),
            "peak_memory_mb": max(run["peak_memory_mb"] for run in measured),
            "peak_share": None if work is None else float(np.median(work / seconds)),
            "all_seconds": seconds.tolist(),
        }
    ours, plain = result["ours"], result["plain"]
    result["ratio"] = ours["examples_per_second"] / plain["examples_per_second"]
    # What the ratio would be if a token cost the same wherever it is.
    result["computed_token_ratio"] = (1 - ours["padding_share"]) / (1 - plain["padding_share"])
    return result


def show(result: dict[str, Any], targets: dict[str, float]) -> list[str]:
    """Print one case; the names of its missed targets."""
    for side in SIDES:
        row = result[side]
        share = "" if row["peak_share"] is None else f"{100 * row['peak_share']:8.1f} %"
        print(
            f"{result['case']:10} {side:6} {row['examples_per_second']:11.1f} {row['tokens_per_second']:11,.0f} "
            f"{100 * row['padding_share']:7.1f} % {row['peak_memory_mb']:8,.0f} {share}"
        )
    reached = {"ratio": result["ratio"], "peak_share": result["ours"]["peak_share"]}
    print(
        f"{'':10} ratio  {result['ratio']:11.2f} x   (plain computes {result['computed_token_ratio']:.2f} x the "
        f"tokens, {result['pad_to']} for every sequence; mean length {result['mean_tokens']:.0f})"
    )
    missed = [key for key, least in targets.items() if reached[key] < least]
    for key, least in targets.items():
        verdict = "missed" if key in missed else "reached"
        print(f"{'':10} target {key} {least:g}: {verdict} ({reached[key]:.2f})")
    return missed


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, help="one of them; without it, all in turn")
    parser.add_argument("--small", action="store_true", help="a small model of the same family")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="without it, CUDA if there is")
    parser.add_argument(
        "--steps",
        type=int,
        default=2 * WINDOW_BATCHES,
        help=f"timed optimiser steps (%(default)s; multiples of {WINDOW_BATCHES} time whole windows of batches)",
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs a side (%(default)s)")
    parser.add_argument("--pad-to", choices=("longest", "model"), default="longest")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Compare all or one of the cases; the exit status, see above."""
    options = parse(arguments)
    device = resolve_device(options.device, options.threads)
    cuda = device.type == "cuda"
    small = options.small or not cuda
    peak = matrix_peak(device) if cuda else None
    release(device)
    machine = (
        torch.cuda.get_device_name(device) if cuda else f"CPU, {torch.get_num_threads()} threads"
    )
    targets = (
        TARGETS_CPU_SMALL if not cuda else TARGETS_H200 if "H200" in machine and not small else {}
    )

    print(f"{machine}, {precision(device)}, {'small' if small else 'full-size'} models")
    if peak is not None:
        print(f"bf16 matrix peak, measured: {peak / 1e12:.0f} TFLOP/s")
    print(
        f"{'case':10} {'side':6} {'examples/s':>11} {'tokens/s':>11} {'padding':>9} {'peak MiB':>8}",
        end="",
    )
    print("   of matrix peak" if cuda else "")
    missed: list[str] = []
    disagree: list[str] = []
    report = {
        "machine": machine,
        "precision": precision(device),
        **describe(device),
        "small": small,
        "steps": options.steps,
        "matrix_peak": peak,
        "versions": library_versions(),
        "missed": missed,
        "disagree": disagree,
        "cases": [],
    }
    for name in [options.case] if options.case else CASES:
        jobs = [
            make_job(
                CASES[name],
                small=small,
                steps=options.steps,
                pad_to_model=options.pad_to == "model",
                device=device,
                seed=SEED + repeat,
            )
            for repeat in range(options.repeats)
        ]
        found, allowed = differences(jobs[0]), TOLERANCES[precision(device)]
        if not all(difference <= limit for difference, limit in zip(found, allowed, strict=True)):
            print(
                f"{name}: the sides disagree; relative difference of loss {found[0]:.1e}, of gradient {found[1]:.1e}"
            )
            disagree.append(name)
        result = compare(name, jobs, peak)
        result |= {"loss_difference": found[0], "gradient_difference": found[1]}
        report["cases"].append(result)
        missed += [f"{name}: {key}" for key in show(result, targets.get(name, {}))]
        if options.json:
            options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 2 if disagree else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
