"""Another tuning of the media core, from words: ``playout.late_share=0.01``."""

from collections.abc import Sequence

import msgspec

from voicechat.media.tuning import TUNING, Tuning


def varied(changes: Sequence[str], tuning: Tuning = TUNING) -> Tuning:
    """``tuning`` with these numbers changed, each as PART.NAME=VALUE; ValueError if there is no such number."""
    for change in changes:
        name, equals, value = change.partition("=")
        part, _, field = name.partition(".")
        if not equals or part not in tuning.__struct_fields__:
            raise ValueError(f"{change}: PART.NAME=VALUE, where PART is one of {', '.join(tuning.__struct_fields__)}")
        numbers = getattr(tuning, part)
        if field not in numbers.__struct_fields__:
            raise ValueError(f"{change}: {part} has {', '.join(numbers.__struct_fields__)}")
        kind = type(getattr(numbers, field))
        try:
            number = kind(value)
        except ValueError:
            raise ValueError(f"{change}: not {'a whole number' if kind is int else 'a number'}") from None
        numbers = msgspec.structs.replace(numbers, **{field: number})
        tuning = msgspec.structs.replace(tuning, **{part: numbers})
    return tuning


def changed(tuning: Tuning) -> list[str]:
    """The numbers in which a tuning is not the programs' own, as `varied` takes them."""
    return [
        f"{part}.{field}={getattr(getattr(tuning, part), field)}"
        for part in tuning.__struct_fields__
        for field in getattr(tuning, part).__struct_fields__
        if getattr(getattr(tuning, part), field) != getattr(getattr(TUNING, part), field)
    ]
