"""Which device a job computes on, in which precision, and what is said where there is no GPU."""

import os
import re
import tempfile
import threading
from contextlib import ExitStack

import pytest
import torch

from nucleotune import devices
from nucleotune.devices import describe, full_fp32, granted, no_gpu, summary
from nucleotune.errors import InputError
from nucleotune.training.compute import log_precision, precision, precision_of, resolve_device
from nucleotune.training.memory import TokenBudget

GPU = torch.device("cuda", 0)


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """A function that lets torch count so many GPUs, usable or not; locks are in a directory of this test."""

    def pretend(count, usable=True):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: usable and count > 0)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    monkeypatch.setattr(devices, "LOOK_EVERY", 0.01)
    return pretend


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((7, 0), "fp32"), ((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16"), ((12, 0), "bf16")],
)
def test_bf16_from_ampere_on_and_the_log_says_so(monkeypatch, caplog, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Some GPU")
    caplog.set_level("INFO")
    log_precision(GPU)
    assert precision_of(capability) == precision(GPU) == expected
    assert f"on Some GPU, in {expected}" in caplog.text
    if expected == "fp32":
        said = f"needs compute capability 8.0 or higher, this has {capability[0]}.{capability[1]}"
        assert said in caplog.text


def test_the_cpu_computes_in_fp32(caplog):
    caplog.set_level("INFO")
    log_precision(torch.device("cpu"))
    assert precision(torch.device("cpu")) == "fp32" and "on the CPU, in fp32" in caplog.text
    assert describe(torch.device("cpu")) == {}


def test_attention_by_cudnn_is_off():
    torch.backends.cuda.enable_cudnn_sdp(True)
    resolve_device("cpu", 1)
    assert devices.attention_kernels() == ["flash", "memory-efficient", "math"]


@pytest.mark.parametrize("counted", [0, 1, 4])
def test_a_gpu_that_is_not_there_is_an_error(monkeypatch, tmp_path, gpus, counted):
    """Nor one whose driver is too old for torch, though it is counted."""
    gpus(counted, usable=False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "version")
    with pytest.raises(
        InputError, match="CUDA 13.0, finds none that it can use; no NVIDIA driver is loaded here"
    ):
        granted(1).__enter__()
    devices.DRIVER.write_text("535.104.05\n")
    with pytest.raises(InputError, match="set `gpu: 0` .* or set NUCLEOTUNE_DEVICE=cpu") as found:
        granted(2).__enter__()
    assert "built for CUDA 13.0, finds none that it can use; the driver here is 535.104.05" in str(
        found.value
    )
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "built without CUDA (torch.version.cuda is None)" in no_gpu()
    with pytest.raises(InputError, match="'cuda' is not available .*driver here is 535.104.05"):
        resolve_device("cuda", 1)


@pytest.mark.parametrize(
    ("cuda", "driver", "advice"),
    [
        ("13.0", None, "takes about 3 GB less: make install TORCH_INDEX=https://.*/cpu"),
        ("13.0", "535.104.05", "the driver here is 535.104.05.* Another build may fit: docs/gpu"),
        (None, "580.65.06", "built without CUDA .*Another build may fit"),
        (None, None, r"no NVIDIA driver is loaded here\.$"),
    ],
)
def test_make_install_ends_with_the_device(monkeypatch, tmp_path, cuda, driver, advice):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "version")
    if driver:
        devices.DRIVER.write_text(driver)
    assert summary().startswith("No GPU, computing on the CPU: torch ")
    assert re.search(advice, summary())


def test_jobs_without_a_gpu_and_told_to_do_without_compute_on_the_cpu(monkeypatch, gpus):
    gpus(1)
    with granted(0) as device:
        assert device == "cpu"
    monkeypatch.setenv("NUCLEOTUNE_DEVICE", "cpu")
    with granted(2) as device:
        assert device == "cpu"
    monkeypatch.setenv("NUCLEOTUNE_DEVICE", "tpu")
    with pytest.raises(InputError, match="NUCLEOTUNE_DEVICE=tpu: expected cpu"):
        granted(0).__enter__()


@pytest.mark.parametrize(("here", "visible"), [(1, None), (1, "5"), (2, "3,GPU-7a")])
def test_all_gpus_that_a_job_sees_are_its_own_if_it_asked_for_them(
    monkeypatch, gpus, here, visible
):
    gpus(here)
    if visible:
        monkeypatch.setenv(devices.VISIBLE, visible)
    for asked in (here, here + 1):
        with granted(asked) as device:
            assert device == "cuda" and os.environ.get(devices.VISIBLE) == visible


def test_jobs_side_by_side_take_different_gpus(monkeypatch, gpus):
    gpus(4)
    monkeypatch.setenv(devices.VISIBLE, "3,GPU-7a,5,6")
    with ExitStack() as other:
        assert devices._take(["3", "GPU-7a"], 1, other) == ["3"]
        with granted(2) as device:
            assert device == "cuda" and os.environ[devices.VISIBLE] == "GPU-7a,5"
            with ExitStack() as third:
                assert devices._take(["3", "GPU-7a", "5", "6"], 1, third) == ["6"]
        assert os.environ[devices.VISIBLE] == "3,GPU-7a,5,6"
        with granted(1):
            assert os.environ[devices.VISIBLE] == "GPU-7a", "given back"


def test_a_job_waits_for_a_free_gpu(caplog, gpus):
    gpus(2)
    caplog.set_level("INFO")
    taken = []

    def job():
        with granted(1):
            taken.append(os.environ[devices.VISIBLE])

    with ExitStack() as other:
        devices._take(["0", "1"], 2, other)
        waiting = threading.Thread(target=job)
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive() and not taken
    waiting.join(10)
    assert taken == ["0"] and caplog.text.count("taken by other jobs: waiting for 1 of 2") == 1


def test_full_fp32_leaves_the_flags_as_they_were():
    cudnn = torch.backends.cudnn
    try:
        torch.set_float32_matmul_precision("high")
        cudnn.allow_tf32 = True
        with pytest.raises(ValueError), full_fp32():
            assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32) == ("highest", False)
            raise ValueError
        assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32) == ("high", True)
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_every_way_to_say_that_the_memory_is_full(error):
    budget, tried = TokenBudget(100), []

    def work(tokens):
        tried.append(tokens)
        if tokens > 30:
            raise error
        return tokens

    assert budget.fit(work, longest=10) == 25 and tried == [100, 50, 25]


def test_other_errors_are_no_matter_of_memory():
    def work(tokens):
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="device-side assert"):
        TokenBudget(100).fit(work, longest=10)


def test_tests_see_no_gpu():
    """Those marked `gpu` excepted, which are chosen by their marker."""
    assert os.environ[devices.VISIBLE] == ""
