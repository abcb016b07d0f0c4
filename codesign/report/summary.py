# SPDX-License-Identifier: Apache-2.0
"""The first screen of the page: what the design does, how fast, at what cost, and how that is known."""

from __future__ import annotations

from typing import Any

from codesign.report.boards import BuiltBoard, Pair, headline, ratio
from codesign.report.model import Report, operation_sparsity
from codesign.report.words import (
    TIMES,
    chance,
    count,
    decimal,
    energy_unit,
    how_to_rate,
    joules,
    percent,
    quotient,
    times,
)


def lead(report: Report) -> str:
    """Return the design in a few sentences; what is unknown is left out."""
    return " ".join(filter(None, (_what(report), _fast(report), _same(report))))


def _what(report: Report) -> str:
    if report.clips is None:
        return ""
    shape = f" {TIMES} ".join(map(str, report.clips.shape))
    values, frames = report.agreement.values, report.agreement.frames
    answers = f" and computes {count(values // frames)} values for each" if values and frames else ""
    right = (
        f"; {percent(report.accuracy.delta)} of the test clips are classified correctly"
        if report.accuracy.delta
        else ""
    )
    return f"A network that sees a stream of {shape} frames{answers}{right}."


def _fast(report: Report) -> str:
    """Return the speed on the board that a summary names, else in clock cycles."""
    pair, speedup = headline(report.boards), report.throughput.speedup
    if pair is None or pair.skipping is None:
        same = "the same engines computing every frame in full"
        return f"On this stream it needs {times(speedup)} fewer clock cycles than {same}." if speedup else ""
    rate, fault = count(pair.skipping.frames_per_second.mean), pair.skipping.fault
    text = f"Routed for {pair.target}, it computes {rate} frames per second"
    if fault is not None:
        reached = f"{decimal(pair.skipping.build.fmax_mhz)} MHz that it reaches"
        text = f"Routed for {pair.target} it {fault}; at the {reached} it would compute {rate} frames per second"
    if pair.dense is None or not pair.dense.routed:
        return f"{text}, in {times(speedup)} fewer clock cycles than the same engines computing every frame in full."
    faster = times(ratio(pair.skipping.frames_per_second.mean, pair.dense.frames_per_second.mean))
    cost = quotient(pair.skipping.build.used.lut, pair.dense.build.used.lut)
    dense = "" if pair.dense.fault is None else f" (the dense build {pair.dense.fault})"
    return f"{text}: {faster} as many as the same engines computing every frame in full, with {cost} their LUTs{dense}."


def _same(report: Report) -> str:
    mismatches = report.agreement.mismatches
    if not report.agreement.values or mismatches.golden_rtl is None:
        return ""
    return "Skipping changes no output bit." if mismatches.total() == 0 else "But the outputs differ."


def cards(report: Report) -> list[dict[str, Any]]:
    """Return the headline figures that are known."""
    pair = headline(report.boards)
    found = [_accuracy(report), *(_board_cards(pair) if pair else _clock_cards(report)), *_speed_cards(report)]
    return [card for card in found if card is not None]


def columns(count: int) -> int:
    """Return how many cards stand side by side, so that the last row is as full as can be: 4 or 3."""
    return max((4, 3), key=lambda each: (count % each or each) / each)


def _accuracy(report: Report) -> dict[str, Any] | None:
    accuracy = report.accuracy
    if accuracy.delta is None:
        return None
    notes = [chance(report) or "of the test clips"]
    if accuracy.quantized is not None:
        notes.append(f"{100 * (accuracy.delta - accuracy.quantized):+.1f} points from the quantised network")
    return _card("Accuracy", percent(accuracy.delta), "; ".join(notes))


def _board_cards(pair: Pair) -> list[dict[str, Any] | None]:
    """Return frames/s, and what they cost."""
    skipping, dense = pair.skipping, pair.dense
    if skipping is None:
        return []
    rate = skipping.frames_per_second
    fault = "" if skipping.fault is None else f", where it {skipping.fault}"
    note = f"at {decimal(skipping.build.fmax_mhz)} MHz routed for {pair.target}{fault}; worst frame {count(rate.worst)}"
    found: list[dict[str, Any] | None] = [_card("Frames/s", count(rate.mean), note, bad=skipping.fault is not None)]
    if dense is not None and dense.frames_per_second.mean is not None:
        faster = times(ratio(rate.mean, dense.frames_per_second.mean))
        fault = "" if dense.fault is None else f"; it {dense.fault}"
        found.append(
            _card("Faster than dense", faster, f"dense: {count(dense.frames_per_second.mean)} frames/s{fault}")
        )
    found.append(_cost(skipping, dense))
    return found


def _cost(skipping: BuiltBoard, dense: BuiltBoard | None) -> dict[str, Any] | None:
    lut, share = skipping.build.used.lut, skipping.share.lut
    if lut is None:
        return None
    of_device = "" if share is None else f"; {percent(share)} of the device"
    if dense is None:
        return _card("LUTs", count(lut), f"of the whole top{of_device}")
    mixed = "" if dense.routed == skipping.routed else "; dense is not routed"
    return _card("LUTs of dense", quotient(lut, dense.build.used.lut), f"{count(lut)} LUTs{of_device}{mixed}")


def _clock_cards(report: Report) -> list[dict[str, Any] | None]:
    """Return the cards about speed without a board."""
    speed = report.throughput
    if speed.frames_per_second is None:
        cycles = speed.cycles_per_frame.mean
        return [] if cycles is None else [_card("Cycles per frame", count(cycles), how_to_rate(report))]
    note = f"at {decimal(speed.clock_mhz)} MHz ({report.origins.get('throughput.clock_mhz', 'given')})"
    return [_card("Frames/s", count(speed.frames_per_second), note)]


def _speed_cards(report: Report) -> list[dict[str, Any] | None]:
    speed = report.throughput
    found: list[dict[str, Any] | None] = []
    if speed.speedup is not None:
        note = f"{count(speed.cycles_per_frame.mean)} per frame; dense takes {count(speed.dense_cycles_per_frame)}"
        found.append(_card("Fewer clock cycles", times(speed.speedup), note))
    if report.hls is not None:
        note = f"{report.hls.words()}; the RTL takes {count(speed.cycles_per_frame.mean)}"
        found.append(_card("Cycles per frame of the HLS", count(report.hls.cycles_per_frame.mean), note))
    skipped = operation_sparsity(report)
    if skipped is not None:
        value = times(1 / (1 - skipped)) if skipped < 1 else "all"
        found.append(_card("Fewer MACs", value, f"{percent(skipped)} are skipped"))
    if report.energy is not None:
        of = energy_unit([report])
        dense = f"{joules(report.energy.skipping.total, of)} of {joules(report.energy.dense.total, of)} {of[0]}"
        found.append(
            _card("Less energy", times(report.energy.ratio), f"estimate: {dense} per frame, arithmetic and memories")
        )
    if report.agreement.values:
        total = report.agreement.mismatches.total()
        note = f"of {count(report.agreement.values)} output values"
        found.append(_card("Mismatches", count(total), note, bad=total > 0))
    return found


def _card(what: str, value: str, note: str, *, bad: bool = False) -> dict[str, Any]:
    return {"what": what, "value": value, "note": note, "bad": bad}


def evidence(report: Report) -> list[tuple[str, str]]:
    """Return how far the figures above can be trusted: what ran, what was built, what is only estimated."""
    found = []
    if report.agreement.frames:
        found.append(
            ("Simulated", f"accuracy, changes, cycles and mismatches, on {count(report.agreement.frames)} frames")
        )
    routed = [item.build.folder for item in report.boards if item.build.kind == "route"]
    mapped = [item.build.folder for item in report.boards if item.build.kind == "synth"]
    if routed:
        found.append(("Placed and routed", f"LUTs, clock and so frames/s: {', '.join(routed)}"))
    if mapped:
        found.append(("Synthesised only", f"cells without a clock: {', '.join(mapped)}"))
    estimated = []
    if report.energy is not None:
        estimated.append("energy, from counted operations and published energies; the ratio is the meaningful part")
    if report.hls is not None and report.hls.origin == "estimated":
        estimated.append("cycles of the HLS C++, trips of its loops at one a cycle")
    if estimated:
        found.append(("Estimated", "; ".join(estimated)))
    if found:
        found.append(("Not measured", "nothing here comes from a board: no power, no frames over a cable"))
    return found
