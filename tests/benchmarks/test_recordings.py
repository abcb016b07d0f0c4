# SPDX-License-Identifier: Apache-2.0
"""The official inputs of MLPerf Tiny become streams: what a frame is, and that nothing of a window is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.fft import dct  # type: ignore[import-untyped]  # scikit-learn needs it

from benchmarks.recordings import RECORDINGS, WORDS, main, mel_bands, windows, write
from codesign.data.arrays import open_recording


def official(folder: Path, seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Write files like the official ones; return the sounds, [file, slice, band], and the words' codes."""
    rng = np.random.default_rng(seed)
    sounds = rng.normal(-30, 9, (RECORDINGS, 9, 128)).astype("<f4")
    words = rng.integers(-128, 128, (RECORDINGS * WORDS, 49, 10)).astype("i1")
    for name, values in (("ad01/normal_{:03d}.bin", sounds), ("kws01/tst_{:06d}_Up_8.bin", words)):
        (folder / name).parent.mkdir(parents=True)
        for number, value in enumerate(values):
            value.tofile(folder / name.format(number))
    return sounds, words


def recording(path: Path) -> NDArray[np.float32]:
    return np.asarray(open_recording(path), np.float32)


def test_frames_are_windows_a_slice_apart(tmp_path: Path) -> None:
    sounds, words = official(tmp_path / "official")
    write(tmp_path / "official", tmp_path)
    sound = recording(tmp_path / "machine_sounds/07.npy")
    assert sound.shape == (5, 640)
    np.testing.assert_array_equal(sound[2], sounds[7, 2:7].reshape(-1))
    slices = recording(tmp_path / "machine_sounds_64/07.npy")
    np.testing.assert_allclose(slices, sounds[7].reshape(9, 64, 2).mean(axis=2), rtol=1e-6)
    keywords = recording(tmp_path / "keywords/07.npy")
    assert keywords.shape == (WORDS * 49 - 48, 49, 10, 1)
    np.testing.assert_allclose(keywords[0, ..., 0], 0.5847029 * (words[7].astype(float) - 83), rtol=1e-5)
    np.testing.assert_allclose(keywords[49, ..., 0], 0.5847029 * (words[7 + RECORDINGS].astype(float) - 83), rtol=1e-5)
    spectra = recording(tmp_path / "wakeword/07.npy")
    assert spectra.shape == (WORDS * 49 - 29, 30, 1, 40)
    assert 0 <= spectra.min() < spectra.max() <= 1


def test_windows_follow_each_other_by_a_slice() -> None:
    slices = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.testing.assert_array_equal(windows(slices, 4), [slices[n : n + 4] for n in range(3)])


def test_mel_bands_have_the_mfccs_they_are_made_of() -> None:
    mfccs = np.random.default_rng(1).normal(size=(5, 10)).astype(np.float32)
    np.testing.assert_allclose(dct(mel_bands(mfccs, 40), norm="ortho")[:, :10], mfccs, atol=1e-5)


@pytest.mark.parametrize(
    ("broken", "said"), [("gone", "at least 40 of normal_*.bin"), ("cut", "a multiple of 128 values")]
)
def test_files_that_are_not_the_official_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str, said: str
) -> None:
    official(tmp_path)
    file = tmp_path / "ad01/normal_000.bin"
    file.unlink() if broken == "gone" else file.write_bytes(file.read_bytes()[:-4])
    assert main(["--official", str(tmp_path), "--clips", str(tmp_path / "clips")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "clips").exists()
