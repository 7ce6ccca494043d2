"""How far a long computation has got, in the log."""

import logging
import time
from typing import Any

log = logging.getLogger(__name__)

#: Seconds between two lines.
EVERY = 15.0


class Progress:
    """Logs how much of `total` is done, the rate and the time to go: every so often, and at the end."""

    def __init__(
        self,
        what: str,
        total: float | None,
        unit: str,
        *,
        done: float = 0,
        every: float = EVERY,
    ) -> None:
        """`what` is being done to `total` of `unit` (None: nobody knows how many); `done` were before this process."""
        self.what, self.total, self.unit = what, total, unit
        self.done = self.first = done
        self.every = every
        self.started = self.reported = time.perf_counter()

    def advance(self, n: float, note: str = "", *values: Any) -> None:
        """Another `n` are done; `note`, filled with `values` as in logging, ends the line."""
        self.reach(self.done + n, note, *values)

    def reach(self, done: float, note: str = "", *values: Any) -> None:
        """In all, `done` are done."""
        self.done, now = done, time.perf_counter()
        if now - self.reported < self.every and done != self.total:
            return
        self.reported = now
        rate = (done - self.first) / max(now - self.started, 1e-9)
        of, to_go = "", ""
        if self.total is not None:
            of = f" of {_number(self.total)}"
            to_go = ", {}:{:02d} min to go".format(
                *divmod(round((self.total - done) / max(rate, 1e-9)), 60)
            )
        note = f"; {note % values}" if note else ""
        log.info(
            "%s: %s%s %s, %s %s/s%s%s",
            *(self.what, _number(done), of, self.unit, _rate(rate), self.unit, to_go, note),
        )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
