# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.recordings``: the official inputs of MLPerf Tiny as streams, one recording a file.

The test inputs of the benchmark (``datasets`` of eembc/energyrunner) are single windows. A device sees their slices
one after the other, so here a frame is the window that ends at a slice, and the next frame is a slice later:

* ``machine_sounds``: ToyADMOS, 128 mel bands in dB. A frame is five slices, [640].
* ``machine_sounds_64``: the same, a frame is one slice of means of two neighbouring bands, [64].
* ``keywords``: Speech Commands, 10 MFCCs. Six words in a row; a frame is 49 slices, [49, 10, 1].
* ``wakeword``: the same words, as 40 mel bands that those MFCCs stand for, scaled to [0, 1]; 30 slices, [30, 1, 40].
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError, ConfigError

Slices = NDArray[np.float32]
"""[T, bands]"""
RECORDINGS = 40
"""Recordings in each folder."""
WORDS = 6
"""Words in a recording."""
BANDS, COEFFICIENTS = 128, 10
"""Of a slice of a sound, of a slice of a word."""
MFCC_STEP, MFCC_ZERO = 0.5847029, 83
"""Scale and zero point of the words' int8 codes: the input quantization of the reference model."""


def main(argv: list[str] | None = None) -> int:
    """Write the folders of recordings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recordings", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--official", type=Path, required=True, help="folder with ad01 and kws01 of the test inputs")
    parser.add_argument("--clips", type=Path, required=True, help="folder that gets the folders of recordings")
    options = parser.parse_args(argv)
    try:
        write(options.official, options.clips)
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write(official: Path, clips: Path) -> None:
    """Write the four folders; recordings that are there already are written again."""
    sounds = [_read(path, "<f4", BANDS) for path in _some(official / "ad01", "normal_*.bin", RECORDINGS)]
    words = [
        MFCC_STEP * (_read(path, "i1", COEFFICIENTS) - MFCC_ZERO)
        for path in _some(official / "kws01", "tst_*.bin", RECORDINGS * WORDS)
    ]
    sentences = [np.concatenate(words[n::RECORDINGS]) for n in range(RECORDINGS)]
    spectra = [mel_bands(sentence, 40) for sentence in sentences]
    low, high = min(map(np.min, spectra)), max(map(np.max, spectra))
    folders = {
        "machine_sounds": (windows(sound, 5).reshape(-1, 5 * BANDS) for sound in sounds),
        "machine_sounds_64": (sound.reshape(len(sound), -1, 2).mean(axis=2) for sound in sounds),
        "keywords": (windows(sentence, 49)[..., None] for sentence in sentences),
        "wakeword": (windows((bands - low) / (high - low), 30)[:, :, None] for bands in spectra),
    }
    for name, recordings in folders.items():
        (clips / name).mkdir(parents=True, exist_ok=True)
        for number, frames in enumerate(recordings):
            np.save(clips / name / f"{number:02d}.npy", frames.astype(np.float32))


def windows(slices: Slices, length: int) -> Slices:
    """Return windows of ``length`` slices, each a slice after the one before: ``[T - length + 1, length, bands]``."""
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(slices, length, axis=0), -1, 1)


def mel_bands(coefficients: Slices, bands: int) -> Slices:
    """Return the log mel bands, ``[T, bands]``, of which MFCCs are the first terms of the orthonormal DCT-II."""
    terms = np.arange(coefficients.shape[1])[:, None] * (np.arange(bands) + 0.5)[None] * np.pi / bands
    basis = np.sqrt(np.where(np.arange(len(terms)) == 0, 1, 2) / bands)[:, None] * np.cos(terms)
    return np.asarray(coefficients @ basis, np.float32)


def _some(folder: Path, pattern: str, number: int) -> Iterator[Path]:
    """Return ``number`` of the files, evenly spread over their names."""
    found = sorted(folder.glob(pattern))
    if len(found) < number:
        raise ConfigError(
            "files are missing",
            where=str(folder),
            expected=f"at least {number} of {pattern}",
            received=len(found),
            fix="give the folder `datasets` of eembc/energyrunner (refs/pull/10/head)",
        )
    return (found[n * len(found) // number] for n in range(number))


def _read(path: Path, kind: str, bands: int) -> Slices:
    values = np.fromfile(path, kind)
    if values.size == 0 or values.size % bands:
        raise ConfigError(
            "not slices", where=str(path), expected=f"a multiple of {bands} values", received=int(values.size)
        )
    return values.reshape(-1, bands).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
