"""Quality: what a choice is worth on this server, and words that nobody knows yet."""

import pytest

from voicechat.media.quality import HIGH_BITRATE, NORMAL_BITRATE, Quality


@pytest.mark.parametrize(
    ("quality", "normal", "high", "wanted"),
    [
        (Quality.SAVER, 12_000, 24_000, 12_000),
        (Quality.NORMAL, 12_000, 24_000, 12_000),
        (Quality.HIGH, 12_000, 24_000, 24_000),
        (Quality.HIGH, 32_000, 24_000, 32_000),
        (Quality.HIGH, 16_000, 8_000, 16_000),
    ],
)
def test_a_choice_is_a_bitrate_and_high_is_never_less(quality: Quality, normal: int, high: int, wanted: int) -> None:
    assert quality.bitrate(normal, high) == wanted


def test_a_word_of_a_later_version_is_as_if_nothing_was_said() -> None:
    assert Quality("holographic") is Quality.NORMAL
    assert NORMAL_BITRATE < HIGH_BITRATE
