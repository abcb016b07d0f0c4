# SPDX-License-Identifier: Apache-2.0
"""Property: whatever a command is given, it ends with 0, 1 or 2 and one paragraph, and leaves nothing half-written.

The inputs are generated: designs, studies and board files, arguments, damaged build folders, videos and models, frames.
Nothing heavy runs, so what is tested is everything that reads and checks. ``-m heavy`` runs thousands of each.
"""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from robustness import place

from codesign.cli import main  # noqa: F401  (imported once, outside what is timed)
from codesign.errors import CodesignError
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.frames import frame_codes
from codesign.training import MODEL, BlockConfig, ModelConfig, load_model
from codesign.training.network import build_network

pytestmark = pytest.mark.usefixtures("nothing_slow")

HEAVY = 20
"""Times as many examples in the heavy variant."""


def examples(count: int) -> settings:
    """Return the settings of a test: the same examples every time, and no limit to the time of one."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="session")
def finished_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished design, a board build of it, a design, a study and a board file, and videos."""
    return place.make(tmp_path_factory.mktemp("robust"))


@pytest.fixture
def nothing_slow(monkeypatch: pytest.MonkeyPatch, finished_build: Path) -> None:
    """Put nothing in the place of every heavy stage and tool: what is read and checked before them is left."""
    place.replace_heavy(monkeypatch)
    monkeypatch.chdir(finished_build)  # files of names that are drawn go there


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small trained model."""
    config = ModelConfig(blocks=(BlockConfig(kind="conv", filters=2, kernel=2),), hidden=())
    folder = tmp_path_factory.mktemp("trained")
    build_network(config, (4, 4, 1), 2, quantized=True, seed=1).save(folder / MODEL)
    return folder


KEYS = {
    "design": ["name", "seed"],
    "data": ["kind", "frames", "size", "train", "val", "digit", "travel", "path", "grey", "split", "workers", "crop"],
    "model": ["blocks", "hidden", "weight_bits", "input_bits", "activation_step", "hold_steps", "train_hold"],
    "training": ["float_epochs", "batch_size", "learning_rate", "method", "sparsity", "devices", "early_stop"],
    "hardware": ["pe", "p", "strategy", "io_type", "layer"],
    "clip": ["clips", "frames", "dense_frames"],
    "synth": ["targets", "route"],
    "report": ["clock_mhz", "stills"],
    "study": ["name", "seeds", "baseline", "length", "epochs"],
    "variant": ["a", "b", "c d"],
    "target": ["variant", "against", "figure", "at_least", "within"],
    "part": ["device", "package", "speed", "database", "vivado"],
    "capacity": ["lut", "ff", "dsp", "block_rams", "block_bits"],
    "clock": ["core_mhz", "delta_core_mhz", "oscillator_mhz", "pin"],
    "uart": ["rx", "tx", "baud"],
    "leds": ["site"],
}
VALUES = r"""
0 1 -1 2 7 64 1e9 -0.5 nan inf -inf 9999999999999999999 0xffffffffffffffffffff true 1979-05-27 "unfinished "" "x"
"ucf101" "video_folder" "../x" "\u0000" "a\u0020b" "int" "dense" "real" [] [1] [0] ["ecp5"] ["x","x"] [[1]] {} [{}]
{pe=3} {fc1={pe=3}} {fc1={unroll=[1,1]}} {conv1={unroll=[9,9],pe=1}}
{conv1={taps=[1,1],unroll=[1,1]}} {site="1"} {site="6",standard="LVCMOS33"}
[{kind="conv",filters=3}] [{kind="maxpool",kernel=9}] [{kind="residual"}]
[{kind="conv",filters=5,stride=32},{kind="conv"}] [{kind="avgpool",kernel=4,stride=4},{kind="avgpool",kernel=4}]
"""
CONFUSED = st.sampled_from([*VALUES.split(), "[" * 500 + "]" * 500])


@st.composite
def toml(draw: st.DrawFn, base: str) -> str:
    """Return a file that is nearly ``base``: a key set to something else, a line lost, a piece of it cut or garbled."""
    lines = base.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        section = draw(st.sampled_from(sorted(KEYS)))
        key, value = draw(st.sampled_from(KEYS[section])), draw(CONFUSED)
        change = draw(st.sampled_from(["key", "key", "key", "section", "remove", "text", "value"]))
        if change == "section":
            lines += [f"[{section}]", f"{key} = {value}"]
        elif change == "key":
            at = lines.index(f"[{section}]") + 1 if f"[{section}]" in lines else at
            lines.insert(at, f"{key} = {value}")
        elif change == "text":
            lines.insert(at, draw(st.text(max_size=30)))
        elif at < len(lines):
            lines[at : at + 1] = [f"{lines[at].split('=')[0]}= {value}"] if change == "value" else []
    return "\n".join(lines)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def one_toml(folder: Path, base: str, text: str) -> None:
    path = write(folder / ("board.toml" if base is place.BOARD else "bad.toml"), text)
    build = str(folder / "build" / "small")
    calls = {
        place.DESIGN: [["run", str(path), "--build-dir", str(folder / "b")], ["stages", str(path)]],
        place.STUDY: [["compare", str(path), "--build-dir", str(folder / "b")]],
        place.BOARD: [["build", build, "--target", str(path)], ["build", build, "--target", str(path), "--hls"]],
    }[base]
    for call in calls:
        place.check(call, folder)


WORDS = """
run stages build report measure stream compare doctor fly - -- --from --to --force --dry-run -v --build-dir --target
--targets --hls --dense --clock --baud --seed --markdown --html --latex --video --frames --json --port --check
--reconnect --seeds --jobs --plot --help --version 1_model 6_report 2_grap ulx3s-85f kv260 sim camera:/dev/null
/dev/null /dev/zero 0 1 2 -1 nan inf 1e400 999999999999999999999999999999 \u00b2 x X.toml S.toml BOARD BUILD
BUILD/2_graph VIDEO FOLDER LOOP NONE/x/y /nonexistent/x/y \U0001f600 %s{} /dev/full /proc/x .
"""
STRANGE = ["", "n" * 300, "a\x00b", "\udcff", "a\nb"]
PLACES = {"X.toml": "x.toml", "S.toml": "s.toml", "BOARD": "board.toml", "BUILD": "build/small", "FOLDER": "."}
WORD = st.sampled_from([*WORDS.split(), *STRANGE])
PLACES |= {"BUILD/2_graph": "build/small/2_graph", "VIDEO": "ok.mkv", "LOOP": "loop", "NONE/x/y": "none/x/y"}


def arguments(folder: Path, words: list[str]) -> list[str]:
    return [str(folder / PLACES[word]) if word in PLACES else word for word in words]


@st.composite
def calls(draw: st.DrawFn, folder: Path) -> list[str]:
    """Return a call: random words, or a right one in which some words are others, lost or added."""
    if draw(st.booleans()):
        return arguments(folder, draw(st.lists(WORD, max_size=8)))
    call = list(draw(st.sampled_from(sorted(place.commands(folder).items())))[1])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(call)))
        word = arguments(folder, [draw(WORD)])
        call[at : at + draw(st.integers(0, 1))] = word if draw(st.integers(0, 4)) else []
    return call


def one_call(folder: Path, call: list[str]) -> None:
    place.check(call, folder)
    assert not Path("/nonexistent").exists()


def one_folder(source: Path, work: Path, seed: int) -> None:
    """Damage one file or folder of a build in one way and give it to a command."""
    draw = random.Random(seed)
    files = sorted(str(path.relative_to(source)) for path in (source / "build").rglob("*") if path.is_file())
    name, command = draw.choice(files), draw.choice(sorted(place.commands(source)))
    with place.damaged(source, work, name, place.damages(draw), again=draw.random() < 0.7) as folder:
        if draw.random() < 0.1:
            spot = (folder / name).parent
            (place.loop if draw.random() < 0.5 else place.dangling)(_emptied(spot), draw)
        place.check(place.commands(folder)[command], folder)


def _emptied(folder: Path) -> Path:
    """Put a file in the place of a folder."""
    folder.rename(folder.with_name(f"{folder.name}_was"))
    folder.write_text("")
    return folder


def one_video(source: Path, work: Path, seed: int) -> None:
    draw = random.Random(seed)
    name = draw.choice(place.VIDEOS)
    damage = draw.choice([place.cut, place.flip, place.flip, place.empty, place.binary, place.into_folder, place.loop])
    with place.damaged(source, work, name, lambda path: damage(path, draw), again=False) as folder:
        build, video = str(folder / "build" / "small"), str(folder / name)
        frames = draw.choice([[], ["--frames", "2"], ["--frames", "99"]])
        place.check(["measure", build, "--video", video, *frames], folder)
        place.check(["stream", build, "--port", "sim", "--video", video, *frames], folder)


def one_model(source: Path, seed: int) -> None:
    """Damage a trained model and load it: it is one, or an error of our own says that it is none."""
    draw = random.Random(seed)
    damage = draw.choice([place.cut, place.flip, place.binary, place.into_folder, *(4 * [place.edit_model])])
    with (
        place.damaged(
            source, source.with_name("damaged_model"), MODEL, lambda path: damage(path, draw), again=False
        ) as folder,
        contextlib.suppress(CodesignError),
    ):
        load_model(folder)


DTYPES = "int64 uint8 float32 float64 bool complex64 str object datetime64[s] int8 uint64"
SCALARS = st.one_of(st.integers(), st.floats(), st.text(max_size=2), st.none(), st.lists(st.integers()))
FRAMES = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.lists(SCALARS, max_size=4),
    st.tuples(
        st.sampled_from(DTYPES.split()),
        st.one_of(st.lists(st.integers(0, 5), max_size=5), st.sampled_from([[2, 16], [2, 4, 4, 1], [0, 16]])),
        st.sampled_from([0, 1, -1, 0.5, 255, 256, float("nan"), float("inf"), 2**62, "x"]),
    ),
    st.sampled_from([{}, {"a": 1}, object(), lambda: 0, b"bytes", 3, 1.5, range(3)]),
)


def one_array(given_frames: Any) -> None:
    """Give something to the golden model and to the check of ``predict`` and the simulator."""
    if isinstance(given_frames, tuple):
        dtype, shape, value = given_frames
        try:
            with np.errstate(all="ignore"):
                given_frames = np.full([*shape], value).astype(dtype)
        except (ValueError, OverflowError, TypeError):
            given_frames = np.full([*shape], value, object)
    graph = place.picture_graph()
    for use in (Golden(graph).run, lambda frames: frame_codes(graph, frames)):
        with contextlib.suppress(CodesignError):
            use(given_frames)


BASES = pytest.mark.parametrize("base", [place.DESIGN, place.STUDY, place.BOARD], ids=["design", "study", "board"])


@BASES
@given(data=st.data())
@examples(40)
def test_files(finished_build: Path, base: str, data: st.DataObject) -> None:
    one_toml(finished_build, base, data.draw(toml(base)))


@given(data=st.data())
@examples(30)
def test_arguments(finished_build: Path, data: st.DataObject) -> None:
    one_call(finished_build, data.draw(calls(finished_build)))


@given(seed=st.integers(0, 2**32))
@examples(25)
def test_build_folders(finished_build: Path, seed: int) -> None:
    one_folder(finished_build, finished_build.with_name("damaged"), seed)


@given(seed=st.integers(0, 2**32))
@examples(20)
def test_videos(finished_build: Path, seed: int) -> None:
    one_video(finished_build, finished_build.with_name("damaged"), seed)


@given(seed=st.integers(0, 2**32))
@examples(15)
def test_models(trained: Path, seed: int) -> None:
    one_model(trained, seed)


@given(frames=FRAMES)
@examples(100)
def test_frames(frames: Any) -> None:
    one_array(frames)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@BASES
@given(data=st.data())
@examples(40 * HEAVY)
def test_many_files(finished_build: Path, base: str, data: st.DataObject) -> None:
    one_toml(finished_build, base, data.draw(toml(base)))


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@given(data=st.data())
@examples(100 * HEAVY)
def test_many_arguments(finished_build: Path, data: st.DataObject) -> None:
    one_call(finished_build, data.draw(calls(finished_build)))


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@given(seed=st.integers(0, 2**32))
@examples(100 * HEAVY)
def test_many_build_folders(finished_build: Path, seed: int) -> None:
    one_folder(finished_build, finished_build.with_name("damaged"), seed)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@given(seed=st.integers(0, 2**32))
@examples(20 * HEAVY)
def test_many_videos(finished_build: Path, seed: int) -> None:
    one_video(finished_build, finished_build.with_name("damaged"), seed)


@pytest.mark.heavy
@given(seed=st.integers(0, 2**32))
@examples(15 * HEAVY)
def test_many_models(trained: Path, seed: int) -> None:
    one_model(trained, seed)


@pytest.mark.heavy
@given(frames=FRAMES)
@examples(100 * HEAVY)
def test_many_frames(frames: Any) -> None:
    one_array(frames)
