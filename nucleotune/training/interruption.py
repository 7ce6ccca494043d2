"""Being told to stop: a training saves its state before it goes."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

logger = logging.getLogger(__name__)

#: What a scheduler sends before it kills (time limit, scancel, preemption), and Ctrl-C.
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Whether one of SIGNALS has `came`, and which."""

    def __init__(self) -> None:
        self.number: signal.Signals | None = None

    @property
    def came(self) -> bool:
        return self.number is not None

    def take_effect(self) -> NoReturn:
        """Stop as the signal would have; as SIGTERM where another process of the group got it."""
        signal.raise_signal(self.number or signal.SIGTERM)
        raise SystemExit(1)  # where the signal is ignored


@contextmanager
def noted_interruption() -> Iterator[Interruption]:
    """Take note of the first of SIGNALS instead of dying from it; a second one has its usual effect.

    Outside the main thread, where Python allows no handlers, nothing is noted.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    usual = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        restore()
        interruption.number = signal.Signals(number)
        logger.warning("%s: the state is saved, then the training stops", interruption.number.name)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
