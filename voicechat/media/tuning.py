"""Tuning: the numbers of the media core that were chosen by measuring, as one frozen value.

TUNING is what the programs use. A bench makes another one and hands it to the objects that
it builds (`python -m bench rehearsal --tune playout.late_share=0.01`), so nothing is patched.
Each object reads what it needs when it is made, so a frame costs no look-up more.

docs/tuning.md has what each number trades and the command that measures it; a test holds it
to this module. What follows from a standard, or bounds memory or time, is a constant
beside the code that uses it.

May import the sound format.
"""

import msgspec

from voicechat.format import TICK_MS, TICKS_PER_SECOND


class PlayoutTuning(msgspec.Struct, frozen=True):
    """How deep a stream is held (`playout`). Ticks, unless another unit is named."""

    deepest: float = 280 / TICK_MS
    """Playout delay at most: 280 ms. Much deeper, people talk into each other's words (ITU-T G.114), so later frames
    are given up. Where two links jitter by 150 ms each, over UDP 200 ms had 2.6 % made up and PESQ 3.1, 220 and 280 ms
    have 2.0 % and 3.2 for 3 ms more (in virtual time); over TCP 220 ms had 4 % and 2.6, 280 ms have 1.7 % and 3.4 for
    15 ms more (on the rig)."""
    margin: float = 2.5 / TICK_MS
    """Added to what arrivals need: a frame is given up 2 ms before its block, which may come 0.5 ms before its time
    (client.call.playback). With less, one frame in four is late for a whole spurt where the talker's sound system calls
    unevenly and the spurt's beat is unlucky: PESQ 1.2 (measured). A second talker may begin 1.5 ms earlier still
    (`begins_early`), as is seldom."""
    late_share: float = 0.0125
    """Largest share of the sound that may come too late. At 0-50 ms of jitter a link 1 % is 183 ms at PESQ 3.6, 1.25 %
    is 176 at 3.5, 1.5 % is 175 at 3.4 (measured)."""
    bin: float = 0.125
    """Width of a histogram bin: 2.5 ms, about the wake-up jitter of a busy desktop (measured p99 3 ms)."""
    start: float = 5 / TICK_MS
    """Held before anything is known: 5 ms, shallow, since most calls are on good connections."""
    memory: int = 10 * TICKS_PER_SECOND
    """Frames remembered: 10 s of talk, both for the base and (as a decay) for the histogram."""
    stall: float = 200 / TICK_MS
    """A frame so late is a sign of a stall and not of jitter, where the depth is less than half of that."""


class StreamTuning(msgspec.Struct, frozen=True):
    """When a stream begins, waits, accelerates and expands (`spurt`, `timescale`, `arrivals`). Ticks."""

    begins_early: float = 0.1
    """A spurt may begin so long before its time: what beats leave; more makes its frames late (`margin`)."""
    accelerate_above: float = 0.97
    """Excess delay from which single frames are taken out: what is left may be 0.03 early, as a spurt's beginning. With
    0.9 a stream that had just waited for a late frame was too early again for the next (measured)."""
    expand_below: float = -0.75
    """Excess delay from which a frame may be put in."""
    shallow: float = 0.25
    """So long before its time a frame is played where a missing one shows that the delay is too small."""
    bad_luck: float = 2.5
    """Late frames within the last second (each counts less as time goes on) that may be chance; with more of them the
    delay is too small, though it seems not to be: beside a mix that came regularly 8 % were late for minutes
    (measured)."""
    skip_above: float = 1.5
    """Excess delay beyond that of a pre-roll that is cut at once, 90 ms in all: nobody wants old words."""
    joins_above: float = 1.0
    """Excess delay beyond that of a pre-roll from which on the first frames are older ones, sent again; a pre-roll is
    up to a tick less late."""
    warm_with: int = 5
    """Skipped frames that are decoded all the same, and packets sent again for a decoder: Opus' SILK layer settles
    within 100 ms (measured)."""
    merge_every: int = 3
    """Frames between two merges inside loud speech, so that a voice is never more than a third too fast."""


class GateTuning(msgspec.Struct, frozen=True):
    """When the gate takes sound for talk (`gate`)."""

    hang_over_ticks: int = 300 // TICK_MS
    """Ticks that the gate stays open at most after talk: 300 ms outlast stops within words and soft ends."""
    trial_ticks: int = 80 // TICK_MS
    """Ticks that it stays open after a first loud frame to see whether it is talk: the three that confirm it, and
    one."""
    trust_ticks: int = 60 // TICK_MS
    """Ticks by which each frame of talk prolongs the hang-over: four bring nearly all of it, a bump on the desk has
    two."""
    lingers_db: float = -3.0
    """What ends a trial lies so far from the level that opens: a breath wavers about that, and a spurt that broke
    between breath and word cost 0.7 PESQ on one of six voices (measured)."""
    failures: int = 2
    """Trials that fail, with no talk between them, before the gate is wary: one may be a breath or a cough."""
    wary_ticks: int = 20 * TICKS_PER_SECOND
    """Ticks after a failed trial in which only confirmed talk opens: who types, types again within 20 s."""
    sure_after: int = 4
    """Frames of talk after which this is talk for good: from then on every loud frame brings the whole hang-over."""
    release_ticks: int = 200 // TICK_MS
    """Ticks that it stays open after the push-to-talk key is let go: people let go on the last syllable."""
    open_above_floor_db: float = 6.0
    """How far above the floor one frame opens. 9 dB cut 19-42 % of speech in loud noise, 6 dB 3-8 % (measured)."""
    talk_above_floor_db: float = 4.0
    """How far above the floor each frame of talk is. Three frames of a fan or of white noise never are (measured)."""
    steady_db: float = -8.0
    """Frames of talk are at most 8 dB softer than the loudest of late; with 10 dB twice as much of a keyboard is talk
    (measured)."""
    peak_fall_db: float = -1.0
    """What "of late" means: the loudest frame counts for 1 dB less from frame to frame, so a vowel does not hide what
    follows it, and a click does hide its echo."""
    guard_dbfs: float = -56.0
    """Never opens below this level, whatever the floor: 4 dB above the noise of a quiet room (-60 dBFS, steady to
    0.5 dB), 10 dB below the level of the softest speech that is meant to be heard (-46 dBFS)."""
    smoothing: float = 0.2
    """Weight of the newest frame in the level: a time constant of 90 ms. Without smoothing the least level of a fan
    lies 5 dB below its mean and 6 dB above it open the gate; with it 2 dB (measured)."""
    windows: int = 8
    """Windows of a second in which the least level is sought: longer than anybody talks without letting it fall."""


class RedundancyTuning(msgspec.Struct, frozen=True):
    """When packets carry an earlier frame again, and which (`redundancy`)."""

    loss_on: float = 0.01
    """Share of lost packets from which redundancy pays: below it plain concealment keeps 3.4 PESQ (measured)."""
    loss_off: float = 0.003
    """Share below which it is switched off again, after `redundancy.QUIET_REPORTS` reports in a row."""
    bursty: float = 1.6
    """Mean length of a loss burst from which the copy is put further away; random loss of 10 % has 1.1 (measured)."""
    loss_rises: float = 0.5
    """Weight of the newest report, of about a second, in the share of loss while that rises: a time constant of 2
    reports, so that loss is believed quickly."""
    loss_falls: float = 0.1
    """The same while it falls: 10 reports, so that it is forgotten slowly."""
    bursts_weight: float = 0.5
    """Weight of a report with several bursts in their mean length."""
    burst_weight: float = 0.3
    """The same of a report with a single burst, which says less."""


class ForwardingTuning(msgspec.Struct, frozen=True):
    """How a listener comes from forwarded packets to a mix and back, in the server (`forwarding`, `rooms`)."""

    single_for: int = TICKS_PER_SECOND
    """Ticks that a single talker must have been alone in a mix before they are forwarded again."""
    overlap: int = 4
    """Ticks that both are sent at a change-over: two for the mix's lag, two for what jitter adds to it."""
    past: int = 10
    """Frames of a talker that go before the first one of a mix: a new encoder codes them, and the last
    `StreamTuning.warm_with` of what it makes go to the listener's decoder. With 5 instead of 10 a hundred changes cost
    0.02 PESQ more (measured)."""


class ChangeoverTuning(msgspec.Struct, frozen=True):
    """The same at the listener's: going on at the same word (`changeover`)."""

    warm_frames: int = 2
    """Frames of a new path that are decoded and not heard: a cold decoder's first frames are wrong (measured)."""
    same: float = 0.8
    """Likeness from which on two pieces are the same words. Coded once and twice it is .9 in voiced speech
    (measured)."""
    kept_for: int = 2 * TICKS_PER_SECOND
    """Ticks after a change in which the delay stays even in pauses: who was interrupted is often interrupted again."""
    longest: int = 4 * TICKS_PER_SECOND
    """Ticks after a change from which on the delay goes without a pause, too."""
    piece_every: int = TICKS_PER_SECOND // 2
    """Ticks between two pieces taken out of loud speech; each leaves less than half of the delay."""


class LoudnessTuning(msgspec.Struct, frozen=True):
    """How everybody is made equally loud (`loudness`), and a mix kept in range (`mixer`)."""

    target_dbfs: float = -20.0
    """Active level of everybody: loud, and four at once still reach the limiter only in peaks (measured)."""
    most_db: float = 12.0
    """Change of level at most, up or down: more would lift the noise of a quiet room above -48 dBFS, where it is
    heard."""
    step_db: float = 3.0 / TICKS_PER_SECOND
    """Change of the gain from one frame to the next at most: 3 dB a second, 0.7 % of a sample's value at a frame's
    edge."""
    release_ms: float = 150
    """Time constant of the return of a limiter's gain to 1: long against a pitch period, so that the gain does not
    distort, short against a sentence. Four friends shouting at once (-14 dBFS each) keep 4.54 PESQ of 4.64
    (measured)."""


class EchoTuning(msgspec.Struct, frozen=True):
    """When a friend's microphone is taken to return my voice (`echo_detector`)."""

    alike: float = 0.7
    """Correlation of an echo: 97 % of the windows of simulated echoes reach it, 2 % of those of people talking at once
    (measured)."""
    syllables_alike: float = 0.5
    """The same over the frames in which both are there: 97 % of the echoes that reach `alike`, a fifth of the others
    (measured)."""
    same_lag: int = 4
    """Ticks by which the lag may differ from one judgement to the next: the playout delay moves by so much."""
    times: int = 3
    """Judgements in a row that must agree."""


class EchoCancelTuning(msgspec.Struct, frozen=True):
    """How the loudspeaker's echo is learnt and taken away (`echo_filter`, `echo_suppressor`, `echo_canceller`)."""

    keeps: float = 0.9985
    """How much of the room's answer stays from frame to frame: a time constant of 13 s; with 0.9995 people who move,
    turned knobs and drift are followed worse, and a still room gains 0.1 PESQ (measured)."""
    first_doubt: float = 0.01
    """What may be in a bin of the first partition before anything is learnt; with 0.3 the filter takes 5 dB in
    place of 18 (measured)."""
    doubt_falls: float = 0.15
    """By which that falls from partition to partition, as a room does, as an exponent."""
    least_doubt: float = 0.3
    """What stays of it in the last ones: with 0.05 a delay of 250 ms has 14 dB, with 0.3 it has 30 (measured)."""
    near_weight: float = 0.2
    """Weight of the newest frame in the power of what is left: 90 ms. To take the expected echo off it made the filter
    stand still (measured)."""
    near_over: float = 1.0
    """What is left counts so many times as a near voice: with 1 the filter learns 0.15 PESQ of the near voice in double
    talk (measured)."""
    tail: float = 0.72
    """Power that is left of the echo from frame to frame after the filter's end: a room of 0.85 s."""
    doubt_weight: float = 0.5
    """Of the filter's own doubt in what is expected of the echo: half, as the window has zeros."""
    leak_weight: float = 0.04
    """Weight of the newest frame in the leak: half a second, some syllables."""
    quick_weight: float = 0.15
    """The same of the ratio that counts while nobody is near: 120 ms."""
    least_leak: float = 0.01
    """The filter is never better than 20 dB: loudspeakers distort."""
    after_pause: float = 1.0
    """The least leak when the far voice comes again after half a second: the room may have changed."""
    unlearnt: float = 0.1
    """Until the filter has learnt something the echo may be so much of the loudest that was played."""
    level_weight: float = 0.4
    """Weight of the newest frame in the levels that tell who is near: 40 ms."""
    alone: float = 3.0
    """The error is nothing but echo below so many times what is expected."""
    sure: float = 10.0
    """It is a near voice for sure above so many times that."""
    over_near: float = 1.0
    """What is expected of the echo is taken so many times while somebody near talks: more harms the voice."""
    over_recent: float = 2.0
    """The same where somebody did within `recent`: with 10 double talk has PESQ 2.4 where it has 2.8 (measured)."""
    recent: int = TICKS_PER_SECOND
    """Ticks after a near voice in which the error is taken for it rather than for a room that has changed: with
    none the ratio of error to echo follows the voice itself, and shuts it out for a whole sentence (measured)."""
    over_alone: float = 10.0
    """The same while nobody does: less leaves some of it."""
    least_gain_db: float = -40.0
    """Gain of a bin at least."""
    doubtful: float = 0.6
    """What a frame counts for the second gate while nobody seems near, but somebody was a moment ago."""
    nobody: float = 0.2
    """The same after that. With 1 nothing is cut and 20 to 50 % of the far voice is sent after a pause in which the
    room changed; with 0 nothing is sent and up to 18 % of the near voice is cut (random scenes, 95th percentile)."""
    doubtful_after: int = TICKS_PER_SECOND // 2
    """Ticks that "a moment ago" lasts."""
    asleep_from: float = 0.95
    """Share of a friend's loud frames with the gate shut from which there is no echo: headphones have 1, an echo 35 dB
    below the near voice 0.73 to 0.84, a louder one less (measured)."""
    alike: float = 0.7
    """Correlation of the levels from which the microphone follows: an echo of 10 to 40 dB below the near voice has
    0.71 to 0.85, none 0.25 at most, double talk up to 0.74 by chance (measured)."""
    forgets_in: int = 4 * TICKS_PER_SECOND
    """Ticks of learning that a lost block or a closed microphone puts in doubt: the path may have moved as much."""


class SuppressionTuning(msgspec.Struct, frozen=True):
    """How much steady noise is taken off a voice (`suppression`)."""

    least_gain_db: float = -14.0
    """Gain of a bin that holds nothing but noise; more takes PESQ from the voice and makes the rest tinkle
    (measured)."""
    windows: int = 8
    """The noise is the least of the last eight windows of half a second; four cost a clean voice 0.2 PESQ more
    (measured)."""
    bias: float = 1.6
    """How far the mean of a smoothed noise lies above its least over some seconds (measured with a fan)."""


class Tuning(msgspec.Struct, frozen=True):
    """All of it."""

    playout: PlayoutTuning = PlayoutTuning()
    stream: StreamTuning = StreamTuning()
    gate: GateTuning = GateTuning()
    redundancy: RedundancyTuning = RedundancyTuning()
    forwarding: ForwardingTuning = ForwardingTuning()
    changeover: ChangeoverTuning = ChangeoverTuning()
    loudness: LoudnessTuning = LoudnessTuning()
    echo: EchoTuning = EchoTuning()
    cancel: EchoCancelTuning = EchoCancelTuning()
    suppression: SuppressionTuning = SuppressionTuning()


TUNING = Tuning()
"""What the programs use."""
