"""A token bucket: how much may pass, on average and at once. Pure: times are seconds, given as arguments."""


class Bucket:
    """A token bucket: ``rate`` a second on average, ``burst`` at once."""

    __slots__ = ("_burst", "_level", "_rate", "_then")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst, self._level, self._then = rate, burst, burst, now

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Whether ``amount`` may pass now."""
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < amount:
            return False
        self._level -= amount
        return True

    def wait(self, now: float, amount: float = 1.0) -> float:
        """Seconds until ``amount`` may pass; 0 if `take` would succeed."""
        level = min(self._burst, self._level + (now - self._then) * self._rate)
        return 0.0 if level >= amount else (amount - level) / self._rate
