# SPDX-License-Identifier: Apache-2.0
"""UCF101: the official layout, splits without a leak, streamed clips, and what is reported when something is wrong."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from data.videos import CLASSES, TEST, TESTS, TRAIN, make_ucf101, noise, write_video

from codesign.data import DataConfig, StreamedClips, read_video, ucf101
from codesign.data.streamed import ahead
from codesign.data.video import View
from codesign.errors import ConfigError, VideoError

SMALL: dict[str, Any] = {"frames": 4, "size": 12, "crop": 0.75}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ucf101(tmp_path_factory.mktemp("ucf101"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def group(file: Path) -> tuple[str, str]:
    return file.parent.name, file.stem.split("_")[2]


def frames_of(clips: StreamedClips, order: np.ndarray, draw: tuple[int, ...] = ()) -> np.ndarray:
    return np.concatenate([values for values, _ in clips.batches(order, 5, draw)]) * 256


def test_official_split(folder: Path) -> None:
    dataset = ucf101(folder, **SMALL, val=0.25)
    assert dataset.classes == CLASSES
    assert dataset.shape == (4, 12, 12, 3)
    assert [len(part) for part in (dataset.train, dataset.val, dataset.test)] == [18, 6, 12]
    assert {group(file) for file in dataset.test.files} == {(name, f"g{g:02}") for name in CLASSES for g in TEST}
    for part in (dataset.train, dataset.val, dataset.test):
        assert [CLASSES[label] for label in part.labels] == [file.parent.name for file in part.files]


@pytest.mark.parametrize("split", [1, 2, 3])
def test_each_split_has_its_own_lists(folder: Path, split: Literal[1, 2, 3]) -> None:
    dataset = ucf101(folder, **SMALL, split=split, val=0.25)
    assert [len(part) for part in (dataset.train, dataset.val, dataset.test)] == [18, 6, 12]
    tested = {(name, f"g{group:02}") for name in CLASSES for group in TESTS[split]}
    assert {group(file) for file in dataset.test.files} == tested
    assert not tested & {group(file) for part in (dataset.train, dataset.val) for file in part.files}
    loaded = DataConfig(kind="ucf101", path=folder, frames=4, split=split).load(0).test
    assert isinstance(loaded, StreamedClips)
    assert loaded.files == dataset.test.files


def test_a_leak_in_one_split_is_found_in_that_one(copy: Path) -> None:
    path = copy / "testlist03.txt"
    path.write_text(path.read_text() + "Diving/v_Diving_g01_c01.avi\n")
    ucf101(copy, **SMALL, split=2)
    with pytest.raises(VideoError, match=r"trainlist03\.txt:17: group 1 of Diving.*testlist03\.txt:13"):
        ucf101(copy, **SMALL, split=3)


def test_groups_are_never_divided(folder: Path) -> None:
    for seed in range(5):
        dataset = ucf101(folder, **SMALL, val=0.5, seed=seed)
        groups = [{group(file) for file in part.files} for part in (dataset.train, dataset.val, dataset.test)]
        assert not groups[0] & groups[1]
        assert not groups[2] & (groups[0] | groups[1])
        assert len(groups[0]) == len(groups[1]) == len(CLASSES) * len(TRAIN) // 2
    assert len(ucf101(folder, **SMALL, val=0.0).val) == 0
    seeds = {ucf101(folder, **SMALL, seed=seed).val.files for seed in range(6)}
    assert len(seeds) > 1


def test_archives_unpacked_side_by_side(copy: Path) -> None:
    flat = ucf101(copy, **SMALL)
    clip = flat.test.pixels(0)
    (copy / "UCF-101").mkdir()
    (copy / "ucfTrainTestlist").mkdir()
    for name in CLASSES:
        (copy / name).rename(copy / "UCF-101" / name)
    for file in list(copy.glob("*.txt")):
        file.rename(copy / "ucfTrainTestlist" / file.name)
    nested = ucf101(copy, **SMALL)
    assert [file.name for file in nested.train.files] == [file.name for file in flat.train.files]
    assert np.array_equal(nested.test.pixels(0), clip)


def test_test_clips_are_the_middle(folder: Path) -> None:
    test = ucf101(folder, **SMALL).test
    clips = frames_of(test, np.arange(len(test)), draw=(1, 2))
    for index, file in enumerate(test.files):
        whole = read_video(file, size=(16, 24), grey=False)
        assert np.array_equal(clips[index], whole[3:7, 2:14, 6:18])


def test_one_draw_a_clip(folder: Path) -> None:
    """Every training clip is four consecutive frames through one window, mirrored or not: it is found in its video."""
    train = ucf101(folder, **SMALL).train
    order = np.arange(len(train))
    views = [train.view(int(index), (0, 0)) for index in order]
    assert len(set(views)) == len(views)
    assert {view.mirrored for view in views} == {True, False}
    for index, clip in enumerate(frames_of(train, order, draw=(0, 0))):
        whole = read_video(train.files[index], size=(16, 24), grey=False)
        whole = whole[:, :, ::-1] if views[index].mirrored else whole
        windows = np.lib.stride_tricks.sliding_window_view(whole, clip.shape)
        assert (windows == clip).all(axis=(-4, -3, -2, -1)).sum() == 1


def test_draws_are_decided_by_the_seed_and_the_epoch(folder: Path) -> None:
    train = ucf101(folder, **SMALL).train
    order = np.array([3, 1, 7])
    first = frames_of(train, order, draw=(0, 1))
    assert np.array_equal(frames_of(train, order[::-1], draw=(0, 1)), first[::-1])
    assert not np.array_equal(frames_of(train, order, draw=(0, 2)), first)
    assert train.view(3, (0, 1)) != ucf101(folder, **SMALL, seed=1).train.view(3, (0, 1))
    plain = ucf101(folder, **SMALL, flip=False).train
    assert not any(plain.view(index, (0, 0)).mirrored for index in range(len(plain)))


def test_batches(folder: Path) -> None:
    test = ucf101(folder, **SMALL, grey=True, workers=3).test
    batches = list(test.batches(np.arange(len(test)), 5))
    assert [values.shape for values, _ in batches] == [(size, 4, 12, 12, 1) for size in (5, 5, 2)]
    assert batches[0][0].dtype == np.float32
    assert np.array_equal(np.concatenate([labels for _, labels in batches]), test.labels)


def test_decodes_ahead_in_order_and_stops() -> None:
    started: list[int] = []
    main = threading.get_ident()

    def work(item: int) -> int:
        assert threading.get_ident() != main
        started.append(item)
        time.sleep(0.01 * (item == 0))
        return item

    results = ahead(work, range(100), workers=2, depth=4)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert len(started) <= 6
    assert list(ahead(work, range(9), workers=2, depth=4)) == list(range(9))


def test_long_clips_to_measure_on_come_from_all_classes(folder: Path) -> None:
    config = DataConfig(kind="ucf101", path=folder, frames=4, size=12, grey=True)
    clips = config.test_clips(3, clips=6, frames=9)
    assert (clips.shape, clips.dtype) == ((6, 9, 12, 12, 1), np.dtype(np.uint8))
    test = config.load(3).test
    assert test.shape == (4, 12, 12, 1)
    first = ucf101(folder, frames=9, size=12, grey=True).test
    assert [np.array_equal(clip, first.pixels(2 * i)) for i, clip in enumerate(clips)] == [True] * 6


def lines(name: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return apply


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def content(name: str, what: bytes) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(what)

    return apply


FIRST = "Archery/v_Archery_g03_c01.avi"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without("classInd.txt"), r"copy: classInd\.txt is missing.*ucfTrainTestlist.*official"),
        (without("testlist01.txt"), r"copy: testlist01\.txt is missing"),
        (without(FIRST), r"trainlist01\.txt:1: Archery/v_Archery_g03_c01\.avi is missing.*UCF-101"),
        (lines("trainlist01.txt", f"{FIRST} 1", f"{FIRST} 2"), r"trainlist01\.txt:1: the index is not.*: 1\. .*: 2\."),
        (lines("trainlist01.txt", "Biking/", "Hiking/"), r"trainlist01\.txt:9: class 'Hiking' is not in classInd"),
        (lines("trainlist01.txt", "_g03_c01", "_c01"), r"trainlist01\.txt:1: not a video of UCF101.*_g01_c01\.avi"),
        (lines("testlist01.txt", "Archery/", ""), r"testlist01\.txt:1: not a video of UCF101"),
        (lines("trainlist01.txt", "_g03_c02", "_g03_c01"), r"txt:2: a video is listed twice.*trainlist01\.txt:1"),
        (
            lines("testlist01.txt", "Archery/v_Archery_g02_c02.avi", FIRST),
            r"trainlist01\.txt:1: group 3 of Archery is in the train list and in the test list.*testlist01\.txt:4",
        ),
        (lines("classInd.txt", "3 Diving", "4 Diving"), r"trainlist01\.txt:17: the index is not.*: 4\. .*: 3\."),
        (lines("classInd.txt", "3 Diving", "2 Diving"), r"classInd\.txt:3: not a class.*no other class.*'2 Diving'"),
        (lines("classInd.txt", "1 Archery", "0 Archery"), r"classInd\.txt:1: not a class.*from 1.*'0 Archery'"),
        (lines("classInd.txt", "1 Archery", f"{10**999} Archery"), r"classInd\.txt:1: not a class"),
        (lines("classInd.txt", "3 Diving", "Diving"), r"classInd\.txt:3: not a class.*Received: 'Diving'"),
        (content("trainlist01.txt", b"\r\n\r\n"), r"trainlist01\.txt: the list is empty.*official list"),
        (content("testlist01.txt", b""), r"testlist01\.txt: the list is empty"),
        (content("classInd.txt", b"1 Archery\n2 Caf\xe9\n"), r"classInd\.txt:2: not text in UTF-8.*byte 0xe9.*save"),
        (content("trainlist01.txt", b"\xff\xfea"), r"trainlist01\.txt:1: not text in UTF-8"),
        (lines("classInd.txt", "3 Diving", "3 Diving\n4 Fencing"), r"classes without a video.*none of Fencing"),
    ],
)
def test_wrong_layout(copy: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(copy)
    with pytest.raises(VideoError, match=words):
        ucf101(copy, **SMALL)


def test_bad_video_is_named_when_it_is_read(copy: Path) -> None:
    test = ucf101(copy, **SMALL).test
    test.files[1].write_bytes(b"this is not a video" * 99)
    batches = test.batches(np.arange(4), 1)
    next(batches)
    with pytest.raises(VideoError, match=r"v_Archery_g01_c02\.avi: the video cannot be decoded"):
        next(batches)
    test.files[1].unlink()
    with pytest.raises(VideoError, match=r"v_Archery_g01_c02\.avi: no such video file"):
        test.pixels(1, View())
    write_video(test.files[1], noise(9))
    long = ucf101(copy, frames=10, size=12).test
    with pytest.raises(VideoError, match=r"g01_c01\.avi: the video is too short\. Expected: 10 frames\. Received: 9"):
        long.pixels(0)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone: no such folder.*classInd"):
        ucf101(tmp_path / "gone")
    with pytest.raises(ConfigError, match=r"data\.path"):
        DataConfig(kind="ucf101")


@pytest.mark.parametrize(
    "argument", [{"split": 4}, {"frames": 0}, {"size": 0}, {"crop": 0.0}, {"crop": 1.5}, {"val": 1.0}, {"workers": 0}]
)
def test_bad_arguments(folder: Path, argument: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ucf101: {next(iter(argument))} is out of range"):
        ucf101(folder, **argument)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"split": "1"}, "split is not an integer.*Received: '1'"),
        ({"split": 1.0}, "split is not an integer.*Received: 1.0"),
        ({"split": True}, "split is not an integer"),
        ({"seed": -1}, "seed is out of range.*Received: -1"),
        ({"seed": None}, "seed is not an integer"),
        ({"frames": 4.0}, "frames is not an integer"),
        ({"val": "half"}, "val is not a number"),
    ],
)
def test_arguments_of_wrong_types(folder: Path, argument: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"ucf101: {words}"):
        ucf101(folder, **argument)


def renumbered(copy: Path, indices: tuple[int, ...]) -> Path:
    """Give the classes other indices in every list."""
    official = dict(zip(CLASSES, indices, strict=True))
    for path in copy.glob("trainlist*.txt"):
        names = [line.split()[0] for line in path.read_text().splitlines()]
        path.write_text("".join(f"{name} {official[name.partition('/')[0]]}\n" for name in names))
    (copy / "classInd.txt").write_text("".join(f"{index} {name}\n" for name, index in official.items()))
    return copy


def test_lists_of_some_classes_keep_the_official_indices(folder: Path, copy: Path) -> None:
    """The order of the indices decides the labels, whatever gaps are between them."""
    official = ucf101(renumbered(copy, (3, 4, 64)), **SMALL)
    plain = ucf101(folder, **SMALL)
    assert "64 Diving" in (copy / "classInd.txt").read_text()
    assert "Diving_g03_c01.avi 64" in (copy / "trainlist01.txt").read_text()
    assert official.classes == plain.classes
    for name in ("train", "val", "test"):
        assert np.array_equal(getattr(official, name).labels, getattr(plain, name).labels)


def test_some_classes_of_a_full_set(copy: Path) -> None:
    shutil.rmtree(copy / "Archery")
    with pytest.raises(VideoError, match=r"trainlist01\.txt:1: Archery/v_Archery_g03_c01\.avi is missing"):
        ucf101(copy, **SMALL)
    some = ucf101(copy, **SMALL, classes=["Diving", "Biking"])
    assert some.classes == ("Biking", "Diving"), "in the order of the set"
    for part in (some.train, some.val, some.test):
        assert [some.classes[label] for label in part.labels] == [file.parent.name for file in part.files]
    config = DataConfig(kind="ucf101", path=copy, frames=4, size=12, classes=("Biking", "Diving"))
    assert config.load(0).classes == some.classes
    config.verify(0, clips=4, frames=9)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["Biking", "Divin"], r"no class 'Divin'.*some of Archery, Biking, Diving.*did you mean 'Diving'"),
        (["Biking", "archery"], r"no class 'archery'.*did you mean 'Archery'"),
        (["Biking", "Biking"], r"at least two different ones"),
        (["Biking"], r"at least two different ones"),
    ],
)
def test_classes_that_are_not_there(folder: Path, classes: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ucf101(folder, **SMALL, classes=classes)
