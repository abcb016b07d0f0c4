# SPDX-License-Identifier: Apache-2.0
"""What a kind of data does not use must not be given, and what it needs is known before anything slow."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from data.videos import make_ucf101, noise, write_video

from codesign.cli import main
from codesign.data import DataConfig
from codesign.endings import USAGE
from codesign.errors import ConfigError, VideoError
from codesign.flow.config import load
from codesign.records import plain

KINDS = ("moving_digits", "video_folder", "ucf101", "arrays")
USERS = {item.name: item.metadata["kinds"] for item in fields(DataConfig) if item.metadata.get("kinds")}
VIDEOS = {"moving_digits": "", **dict.fromkeys(KINDS[1:], 'path = "videos"\n')}
VIDEOS["arrays"] += "shape = [32, 32, 1]\n"
VALUES = {"path": "videos", "shape": [32, 32, 1]}


def design(folder: Path, body: str) -> Path:
    path = folder / "d.toml"
    path.write_text(f'[design]\nname = "d"\n{body}')
    return path


def default(key: str) -> str:
    """Return a key with its default as TOML; of those that have none, with a value."""
    value = plain(DataConfig.__dataclass_fields__[key].default)
    return f"{key} = {json.dumps(VALUES.get(key, value))}\n"


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Two classes of three videos of 9 frames, one of 7."""
    for name in ("left", "right"):
        (tmp_path / "videos" / name).mkdir(parents=True)
        for number in range(3):
            frames = noise(7 if (name, number) == ("right", 1) else 9, seed=number)
            write_video(tmp_path / "videos" / name / f"{number}.mkv", frames)
    return tmp_path / "videos"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", USERS)
def test_a_key_belongs_to_its_kinds(key: str, kind: str, tmp_path: Path) -> None:
    """Also with the value that it has anyway: who writes it believes that it does something."""
    needed = "".join(f"{line}\n" for line in VIDEOS[kind].splitlines() if not line.startswith(key))
    body = "" if kind == "moving_digits" else f'kind = "{kind}"\n{needed}'
    path = design(tmp_path, f"[data]\n{body}{default(key)}")
    if kind in USERS[key]:
        load(path)
        return
    users = " or ".join(f'kind = "{user}"' for user in USERS[key])
    words = rf'd\.toml:data\.{key}: kind = "{kind}" does not use.*Expected: {users}, which'
    with pytest.raises(ConfigError, match=words):
        load(path)


def test_all_of_them_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(design(tmp_path, '[data]\npath = "videos"\nworkers = 4\nfit = "pad"\nsplit = 2\n'))
    assert [key for key in USERS if f"data.{key}: " in str(error.value)] == ["path", "fit", "split", "workers"]


def test_python_callers_are_told_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'data\.path: kind = "moving_digits" does not use this key'):
        DataConfig(path=tmp_path)
    with pytest.raises(ConfigError, match=r'data\.noise: kind = "video_folder"'):
        DataConfig(kind="video_folder", path=tmp_path, noise=1.0)
    with pytest.raises(ConfigError, match=r"data\.kind: not a valid choice.*'ucf101'.*did you mean 'video_folder'"):
        DataConfig(kind="folder", path=tmp_path)  # type: ignore[arg-type]


SIZES = {
    KINDS: ("frames = 0", "frames = 1", "frames = 200000"),
    KINDS[:3]: ("size = 0", "size = -8", "size = 5000"),
    KINDS[:1]: ("size = 7", "train = 0", "test = 0", "val = -1", "digit = 0", "travel = -1", "noise = -2.0"),
    KINDS[1:2]: ("test_share = 0.0", 'fit = "squash"'),
    KINDS[3:]: ("test_share = 0.0", "range = [1.0, 0.0]", "range = [1.0]", "range = [0.0, inf]"),
    KINDS[2:3]: ("val_share = 1.0", "crop = 0.0", "workers = 0", "split = 4"),
}


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kinds in SIZES for kind in kinds for line in SIZES[kinds]])
def test_sizes_are_checked_when_the_design_is_read(kind: str, line: str, tmp_path: Path) -> None:
    key = line.partition(" ")[0]
    with pytest.raises(ConfigError, match=rf"d\.toml:data\.{key}: .*Expected.*Received"):
        load(design(tmp_path, f'[data]\nkind = "{kind}"\n{VIDEOS[kind]}{line}\n'))


def test_sizes_that_do_not_fit_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.digit: the digit leaves the frame.*30 > 16.*make size larger"):
        load(design(tmp_path, "[data]\nsize = 16\n"))
    shares = '[data]\nkind = "video_folder"\npath = "videos"\nval_share = 0.5\ntest_share = 0.5\n'
    with pytest.raises(ConfigError, match=r"data\.test_share: the shares leave nothing to train"):
        load(design(tmp_path, shares))


RUNS = [
    ("frames = 4", "", r"clip\.frames: clips are longer than the shortest file.*at most [79],.*mkv.*: 256\.",
     r"frames = [79] in \[clip\] fits"),
    ("frames = 8", "frames = 4", r"data\.frames: clips are longer.*at most 7, the frames of .*right/1\.mkv\. .*: 8\.",
     r"frames = 7 in \[data\] fits, or leave that file out"),
    ('frames = 4\nclasses = ["left", "rihgt"]', "",
     r"d\.toml:data\.classes: there is no class 'rihgt'.*left, right", "did you mean 'right'"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "clip", "words", "step"), RUNS)
def test_what_videos_cannot_give_is_said_before_training(
    data: str,
    clip: str,
    words: str,
    step: str,
    videos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(videos.parent)
    path = design(videos.parent, f'[data]\nkind = "video_folder"\npath = "videos"\n{data}\n[clip]\n{clip}\n')
    monkeypatch.setattr(DataConfig, "load", lambda *_: pytest.fail("it loads the clips"))
    assert main(["run", str(path)]) == USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(words, said), said
    assert re.search(step, said), said
    assert not (videos.parent / "build").exists()


def test_short_clips_of_ucf101(tmp_path: Path) -> None:
    config = DataConfig(kind="ucf101", path=make_ucf101(tmp_path / "videos"), frames=4, size=8)
    config.verify(1, clips=6, frames=9)
    with pytest.raises(ConfigError, match=r"clip\.frames: .*at most 9, the frames of .*_g01_c01\.avi; 6 of 6 files"):
        config.verify(1, clips=6, frames=10)
    write_video(tmp_path / "videos/Diving/v_Diving_g05_c01.avi", noise(3))
    with pytest.raises(ConfigError, match=r"data\.frames: .*at most 3, the frames of .*v_Diving_g05_c01\.avi\. "):
        config.verify(1, clips=6, frames=9)
    (tmp_path / "videos/Diving/v_Diving_g05_c01.avi").write_bytes(b"no video" * 99)
    with pytest.raises(VideoError, match=r"v_Diving_g05_c01\.avi: the video cannot be decoded"):
        config.verify(1, clips=6, frames=9)


def test_clips_to_measure_on_need_only_their_own_files(videos: Path) -> None:
    """The clips are from the test split: how long the files are that are trained with does not matter."""
    config = DataConfig(kind="video_folder", path=videos, frames=4, size=8, test_share=0.3)
    seeds = {seed: config._split(seed) for seed in range(9)}
    short = videos / "right" / "1.mkv"
    tested = {seed: short in [split.files[place] for place, _ in split.test] for seed, split in seeds.items()}
    assert set(tested.values()) == {True, False}
    for seed, uses_it in tested.items():
        if uses_it:
            with pytest.raises(ConfigError, match=r"clip\.frames.*at most 7, the frames of .*right/1\.mkv"):
                config.verify(seed, clips=2, frames=9)
            with pytest.raises(VideoError, match=r"right/1\.mkv: the video is too short"):
                config.test_clips(seed, clips=2, frames=9)
        else:
            config.verify(seed, clips=2, frames=9)
            assert config.test_clips(seed, clips=2, frames=9).shape == (2, 9, 8, 8, 1)


def test_the_check_needs_no_tensorflow(videos: Path) -> None:
    path = design(videos.parent, '[data]\nkind = "video_folder"\npath = "videos"\n')
    code = f"import sys; from codesign.cli import main; main(['run', {str(path)!r}]); "
    code += "sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=videos.parent)
    assert done.returncode == 0
    assert "data.frames" in done.stderr
