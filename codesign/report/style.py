# SPDX-License-Identifier: Apache-2.0
"""Colors and type of the page and of its figures: once, for style sheets, SVG files and PNG files alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

LIGHT = {
    "page": "#fbfaf7",
    "card": "#ffffff",
    "ink": "#1c2126",
    "soft": "#5a646e",
    "hair": "#dcdad3",
    "good": "#00664b",
    "bad": "#b3261e",
    "delta": "#00639c",
    "dense": "#6a6f75",
    "ideal": "#b34d00",
    "bar": "#2f86bd",
    "tint": "#e8f1f7",
}
DARK = {
    "page": "#14181c",
    "card": "#1c2227",
    "ink": "#e8eaec",
    "soft": "#a3adb6",
    "hair": "#333b43",
    "good": "#5fcfa8",
    "bad": "#ff8a80",
    "delta": "#62b8ee",
    "dense": "#9aa2aa",
    "ideal": "#f5a05a",
    "bar": "#3d8fc4",
    "tint": "#1c2f3d",
}
PRINT = {**LIGHT, "page": "#ffffff", "ink": "#000000", "soft": "#444444", "hair": "#cccccc", "tint": "#f2f6f9"}
"""Colors of paper, and of the files that go into one."""
HALO = 5.0
"""Pixels of page around letters, so that they can be read on top of lines."""
PLAIN = "plain"
"""Class of texts without a halo, such as those in a box."""
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a mark is drawn; None leaves a property as it is.

    Attributes:
        fill: name of a color, or ``none``.
        stroke: the same.
        stroke_width: pixels.
        stroke_dasharray: pixels, as SVG has them.
        opacity: 0 to 1.
        font_size: pixels.
        font_weight: 400 or 600.
        text_anchor: ``start``, ``middle`` or ``end``.
    """

    fill: str | None = None
    stroke: str | None = None
    stroke_width: float | None = None
    stroke_dasharray: str | None = None
    opacity: float | None = None
    font_size: float | None = None
    font_weight: int | None = None
    text_anchor: str | None = None

    def properties(self, colors: Mapping[str, str]) -> dict[str, str]:
        """Return the CSS properties that are set, colors as ``colors`` has them."""
        found = {item.name.replace("_", "-"): getattr(self, item.name) for item in fields(self)}
        return {name: colors.get(str(value), str(value)) for name, value in found.items() if value is not None}


TEXT = Style(fill="ink", font_size=14)
"""Any text, before its classes."""
CLASSES: dict[str, Style] = {
    "tick": Style(fill="soft", font_size=13),
    "axis-name": Style(fill="soft", font_size=13),
    "small": Style(font_size=12.5),
    "tiny": Style(font_size=11),
    "soft": Style(fill="soft"),
    "label": Style(font_weight=600),
    "figure": Style(),
    "start": Style(text_anchor="start"),
    "middle": Style(text_anchor="middle"),
    "end": Style(text_anchor="end"),
    "grid": Style(stroke="hair", stroke_width=1),
    "mark": Style(stroke="ideal", stroke_width=3),
    "edge": Style(fill="none", stroke="soft", stroke_width=1.5),
    "line": Style(fill="none", stroke_width=1.75),
    "delta": Style(stroke="delta"),
    "dense": Style(stroke="dense", stroke_dasharray="7 4"),
    "ideal": Style(stroke="ideal", stroke_width=5, opacity=0.4),
    "second": Style(stroke="ideal", stroke_dasharray="2 3"),
    "third": Style(stroke="good"),
    "delta-text": Style(fill="delta"),
    "dense-text": Style(fill="dense"),
    "ideal-text": Style(fill="ideal"),
    "second-text": Style(fill="ideal"),
    "third-text": Style(fill="good"),
    "bar": Style(fill="bar"),
    "quiet": Style(fill="dense", opacity=0.55),
    "box": Style(fill="card", stroke="hair", stroke_width=1),
    "strip": Style(fill="tint"),
    "cell": Style(fill="bar"),
}
"""Styles by class; where a mark has several, the later ones here win."""


def of(classes: str, base: Style = Style()) -> Style:
    """Return the style of a mark with these classes, which are separated by spaces."""
    names, result = classes.split(), base
    for name, style in CLASSES.items():
        if name in names:
            known = {item.name: getattr(style, item.name) for item in fields(style)}
            result = replace(result, **{key: value for key, value in known.items() if value is not None})
    return result


def sheet() -> str:
    """Return the style sheet of the colors and of the figures in a page."""
    names = {name: f"var(--{name})" for name in LIGHT}
    halo = f"stroke: var(--page); stroke-width: {HALO:g}px; paint-order: stroke; stroke-linejoin: round;"
    rules = [f".chart text {{ {_declarations(TEXT.properties(names))} {halo} }}"]
    rules.append(f".chart .{PLAIN} {{ stroke: none; }}")
    rules += [f".chart .{name} {{ {_declarations(style.properties(names))} }}" for name, style in CLASSES.items()]
    return "\n".join(
        (
            f":root {{ {_colors(LIGHT)} }}",
            f"@media (prefers-color-scheme: dark) {{ :root {{ {_colors(DARK)} }} }}",
            f"@media print {{ :root {{ {_colors(PRINT)} }} }}",
            *rules,
        )
    )


def _colors(colors: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colors.items())


def _declarations(properties: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {value}{'px' if name == 'font-size' else ''};" for name, value in properties.items())
