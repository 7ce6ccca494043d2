"""How far a long computation has got."""

import logging
import time

log = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 15.0


class Progress:
    """Logs how many of `total` are done, the rate and the time to go: every 15 s, and at the end."""

    def __init__(self, what: str, total: int) -> None:
        """`what` names them in the log."""
        self.what, self.total, self.done = what, total, 0
        self.started = self.reported = time.perf_counter()

    def advance(self, n: int) -> None:
        """Another `n` are done."""
        self.done += n
        now = time.perf_counter()
        if now - self.reported > _LOG_EVERY_SECONDS or self.done == self.total:
            rate, self.reported = self.done / (now - self.started), now
            log.info(
                "%s: %d of %d, %.0f /s, %.0f s to go",
                *(self.what, self.done, self.total, rate, (self.total - self.done) / rate),
            )
