# SPDX-License-Identifier: Apache-2.0
"""What can be known to be wrong with a design is reported before it is trained, all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flow.test_measure import write_video

from codesign.cli import main
from codesign.errors import ConfigError
from codesign.flow.config import load
from codesign.flow.console import last_lines
from codesign.flow.validate import gpus
from codesign.study import open_study

NETWORK = """
[data]
size = 16
digit = 8.0
[model]
blocks = [{kind = "conv", filters = 6, stride = 2}, {kind = "residual", filters = 4}, {kind = "avgpool", kernel = 2}]
hidden = [9]
"""

DESIGNS = [
    (NETWORK + "[hardware.layer.fc1]\npe = 4", r"layer\.fc1\.pe: pe does not divide.*one of 1, 3, 9, or more.*4 for 9"),
    (NETWORK + "[hardware.layer.fc2]\npe = 3", r"layer\.fc2\.pe: pe does not divide.*1, 2, 5, 10.*3 for 10"),
    (NETWORK + "[hardware.layer.conv1]\npe = 4", r"layer\.conv1\.pe: .*1, 2, 3, 6.*4 for 6 outputs"),
    (NETWORK + "[hardware.layer.res2_skip]\npe = 3", r"layer\.res2_skip\.pe: .*1, 2, 4"),
    (NETWORK + "[hardware.layer.pool3]\npe = 3", r"layer\.pool3\.pe: .*1, 2, 4"),
    (NETWORK + "[hardware.layer.res2_add]\npe = 3", r"layer\.res2_add\.pe: .*1, 2, 4"),
    (NETWORK + "[hardware.layer.conv2]\npe = 1", r"layer\.conv2: no layer that has.*did you mean 'conv1'"),
    (NETWORK + "[hardware.layer.fc3]\npe = 1", r"layer\.fc3: no layer that has an engine is called 'fc3'"),
    (NETWORK + "[hardware.layer.conv1_delta]\npe = 1", r"conv1_delta: not a layer that has an engine.*remove the key"),
    (NETWORK + "[hardware.layer.flatten]\npe = 1", r"layer\.flatten: not a layer that has an engine"),
    (NETWORK + "[hardware.layer.fc1]\nunroll = [1, 1]", r"layer\.fc1\.unroll: not a layer that slides.*conv1, res2_a"),
    (NETWORK + "[hardware.layer.res2_add]\nunroll = [1, 1]", r"layer\.res2_add\.unroll: not a layer that slides"),
    (NETWORK + "[hardware.layer.conv1]\nunroll = [3]", r"layer\.conv1\.unroll: one number per axis.*\[rows, columns\]"),
    (NETWORK + "[hardware.layer.conv1]\nunroll = [0, 1]", r"layer\.unroll: out of range.*at least 1"),
    ('[model]\nblocks = [{kind = "maxpool", kernel = 32, stride = 32}, {kind = "maxpool", kernel = 2}]',
     r"model\.blocks\[1\]\.kernel: the pool is larger than the frame.*at most 1, as 1 x 1 are left"),
    ('[model]\nblocks = [{kind = "maxpool", kernel = 20}]', r"model\.blocks\[0\]\.kernel: .*window of a maximum"),
    ("[training]\nshort_epochs = 1\nshort_frames = 9", r"training\.short_frames: .*at most 8, .*data\.frames.*: 9"),
    ("[training]\nearly_stop = 1\n[data]\nval = 0", r"training\.early_stop: there is nothing to validate with"),
    ("[training]\ndevices = 3\nbatch_size = 32", r"training\.batch_size: devices share.*multiple of 3"),
    ("[clip]\nclips = 1000001", r"clip\.clips: out of range.*1 to 1000000"),
    ("[clip]\nframes = 100001", r"clip\.frames: out of range.*2 to 100000"),
    ('[training]\nmethod = "hold"\n[model]\ninput_hold_steps = 0', r"training\.method: there is no hold to apply"),
    ('[synth]\ntargets = ["ecp5", "xc7", "ecp5"]', r"synth\.targets: a target is named twice"),
    ("[report]\nclock_mhz = 1e9", r"report\.clock_mhz: out of range"),
    ("[report]\nclock_mhz = inf", r"report\.clock_mhz: out of range"),
    (f"[training]\nlearning_rate = 1{'0' * 400}", r"training\.learning_rate: out of range.*64 bits.*1329 bits"),
    (f"[clip]\nclips = 0x{'f' * 5000}", r"clip\.clips: out of range.*a whole number of 20000 bits"),
    (f"[clip]\nclips = {'9' * 5000}", r"not valid TOML.*digits"),
    ("[clip]\nclips = " + "[" * 3000 + "]" * 3000, r"not valid TOML"),
    ('[data]\nkind = "video_folder"\npath = ""', r"data\.path: not a path"),
    ('[data]\nkind = "ucf101"\npath = "a"\nsplit = true', r"data\.split: not a valid choice.*Received: True"),
    ('[hardware.layer."a\\nb"]\npe = 1', r"layer\.a\\nb: no layer that has an engine"),
]  # fmt: skip

HERE = [
    ("[training]\ndevices = 2", r"training\.devices: there are fewer devices.*at most 1.*Received: 2"),
    ("[training]\ntensorboard = true", r"training\.tensorboard: TensorBoard is not installed.*pip install"),
    ('[data]\nkind = "video_folder"\npath = "none"', r"data\.path: no such folder.*none"),
    ('[data]\nkind = "ucf101"\npath = "x.toml"', r"data\.path: no such folder"),
    ("[data]\nframes = 100000", r"data\.train: more frames than memory holds.*450,000,000 frames of 32 x 32"),
    ("[clip]\nclips = 100000\nframes = 100000", r"clip\.frames: more frames than memory holds"),
    ('[data]\nkind = "video_folder"\npath = "videos"\nframes = 2\n[clip]\nframes = 2\n[hardware.layer.fc3]\npe = 2',
     r"hardware\.layer\.fc3\.pe: pe does not divide.*one of 1, 3, or more.*2 for 3"),
    ('[model]\nactivation_step = "po2"\nstep_per = "neuron"\nblocks = [{kind = "conv", filters = 2}]',
     r"model\.step_per: hardware has one step per channel.*conv1_delta"),
    ('[model]\nactivation_step = "real"', r"model\.activation_step: real steps do not deploy.*--to 1_model"),
]  # fmt: skip


def write(folder: Path, body: str) -> Path:
    path = folder / "x.toml"
    path.write_text(f'[design]\nname = "x"\n{body}\n')
    return path


@pytest.mark.parametrize(("body", "message"), DESIGNS)
def test_a_design_that_cannot_be(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: ?[\w.]*" + message) as error:
        load(write(tmp_path, body))
    assert all(problem.startswith(str(tmp_path / "x.toml")) for problem in error.value.problems)
    assert "\n" not in "".join(error.value.problems)


@pytest.mark.parametrize(("body", "message"), HERE)
def test_a_design_that_cannot_be_run_here(
    tmp_path: Path, body: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("codesign.flow.validate.gpus", lambda: 0)
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**20}[name])  # 4 GiB
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("codesign.flow.runner.work", lambda *_: pytest.fail("it began"))
    path = write(tmp_path, body)
    for name in ("a/1.mkv", "a/2.mkv", "b/1.mkv", "b/2.mkv", "c/1.mkv", "c/2.mkv"):
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / "videos" / name, 3)
    assert main(["run", str(path), "--build-dir", str(tmp_path / "build")]) == 2
    error = " ".join(capsys.readouterr().err.split())
    with pytest.raises(ConfigError, match=r"x\.toml:" + message):
        raise ConfigError(error)
    assert not (tmp_path / "build").exists()


def test_every_problem_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = '[data]\nsiez = 3\nframes = "8"\n[training]\nbatch_size = 0\ndevices = -1\n[hardware]\npe = 0\n[moddel]\n'
    assert main(["run", str(write(tmp_path, body))]) == 2
    error = capsys.readouterr().err.replace("\n", " ")
    assert error.count("error: ") == 6
    for key in ("data.siez", "data.frames", "training.batch_size", "training.devices", "hardware.pe", "moddel"):
        assert f"x.toml:{key}: " in error


def test_layers_that_are_there_are_taken(tmp_path: Path) -> None:
    layers = {
        "conv1": "pe = 3\nunroll = [3, 3]",
        "fc1": "pe = 9",
        "fc2": "pe = 64",
        "pool3": "unroll = [2, 2]",
        "res2_add": "pe = 2",
    }
    body = NETWORK + "\n".join(f"[hardware.layer.{name}]\n{keys}" for name, keys in layers.items())
    assert load(write(tmp_path, body)).hardware.layer.keys() == layers.keys()


def test_steps_that_do_not_deploy_can_be_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codesign.flow.runner.work", lambda *_: (None, 0.0))
    path = write(tmp_path, '[model]\nactivation_step = "real"')
    assert main(["run", str(path), "--to", "1_model", "--build-dir", str(tmp_path / "build")]) == 0


@pytest.mark.parametrize("missing", ["g++", "make", "perl", "verilator"])
def test_a_missing_program_is_said_before_the_training(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def which(program: str, **_: object) -> str | None:
        return None if program == missing else f"/usr/bin/{program}"

    monkeypatch.setattr("shutil.which", which)
    monkeypatch.setattr("codesign.flow.runner.work", lambda *_: pytest.fail("it began"))
    path = write(tmp_path, "")
    assert main(["run", str(path), "--build-dir", str(tmp_path / "build")]) == 1
    assert f"{missing} was not found" in capsys.readouterr().err
    assert not list((tmp_path / "build").rglob("*.partial"))
    monkeypatch.setattr("codesign.flow.runner.work", lambda *_: (None, 0.0))
    assert main(["run", str(path), "--build-dir", str(tmp_path / "build"), "--to", "3_rtl"]) == 0


def test_gpus_that_can_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus(tmp_path) == 0
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus(tmp_path) == 3
    for value, count in {"": 0, "-1": 0, "1": 1, "0,1": 2, "MIG-1": 3}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert gpus(tmp_path) == count
    (tmp_path / "dxg").touch()
    assert gpus(tmp_path) is None


STUDY = '[study]\nname = "s"\n[variant.one]\n[variant.two]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study = 3\n" + STUDY.partition("\n")[2].partition("\n")[2], r"study: not a table"),
        (STUDY.replace("[variant.one]", "[[variant]]").replace("[variant.two]", ""), r"variant: wrong type.*a table"),
        (STUDY + "[target]\nvariant = 3", r"target: wrong type.*a list"),
        ("model = 3\n" + STUDY, r"model: not a table"),
        (STUDY + 'training = "dense"', r"variant\.two\.training: wrong type.*a table"),
        (STUDY + "[variant.three]\nmodel = {blocks = 3}", r"variant\.three: model\.blocks: wrong type"),
        (STUDY + "[hardware.layer.conv1]\npe = 2", r"variant\.one: hardware\.layer\.conv1: no layer"),
        (STUDY.replace('"s"', '"s"\nlength = "one"\nepochs = [2]') + "[variant.one_2]", r"one name.*rename"),
        (STUDY.replace('"s"', '"s"\nseeds = [1, 1]'), r"study\.seeds: seeds must be distinct"),
        (STUDY.replace('"s"', '"s"\nseeds = []'), r"study\.seeds: seeds must be distinct"),
        (STUDY.replace('"s"', '"s"\nseeds = [-1]'), r"study\.seeds: out of range"),
        (STUDY + '[[target]]\nvariant="one"\nagainst="two"\nfigure="fewer MACs"\nat_least=inf', r"\[0\]\.at_least"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"(?s)s\.toml:.*" + message):
        open_study([path])


@pytest.mark.parametrize("seeds", [["1", "1"], ["-1"], [str(2**31)]])
def test_seeds_of_the_command_line(tmp_path: Path, seeds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.toml"
    path.write_text(STUDY)
    assert main(["compare", str(path), "--seeds", *seeds]) == 2
    assert "--seeds" in capsys.readouterr().err


def test_nothing_slow_is_imported_to_refuse_a_design(tmp_path: Path) -> None:
    path = write(tmp_path, "[hardware.layer.fc9]\npe = 1")
    code = (
        "import sys; from codesign.cli import main;"
        f"print(main(['run', {str(path)!r}]), main(['compare', {str(path)!r}]));"
        "print([name for name in ('tensorflow', 'keras', 'hls4ml', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[:2] == ["2 2", "[]"]
    assert done.stderr.startswith("error:")  # nothing before it, whatever is imported


def test_the_tail_of_a_log_is_about_the_error(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text(
        "Traceback (most recent call last):\n  of an earlier run\n    here\nA: a\na tool said this\n"
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795863628.317896   12487 cudart_stub.cc:31] Could not find cuda drivers on your machine\n"
        "E0000 00:00:1795863634.056638   12487 cuda_platform.cc:52] failed call to cuInit: INTERNAL\n"
        "2026-11-28 11:00:00.123456: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary\n"
        "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow\n"
        "Error: 2 things are wrong\n"
        "Traceback (most recent call last):\n  one\nA: a\n"
        "\nThe above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n  two\nB: b\n"
    )
    assert last_lines(log, traceback=False) == ["a tool said this", "Error: 2 things are wrong"]
    assert [line for line in last_lines(log) if "0000" in line] == []
    assert last_lines(log)[-1] == "B: b"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("[variant.two.training]\ndevices = 2", 2, "training.devices: there are fewer devices"),
        ('[variant.two.data]\nkind = "video_folder"\npath = "none"', 2, "data.path: no such folder"),
        ('[variant.two.data]\nkind = "video_folder"\npath = "empty"', 1, "variant.two"),
        ("[variant.two]\nsimulate = true", 1, "perl was not found"),
    ],
)
def test_a_study_that_cannot_be_run_here(
    tmp_path: Path,
    body: str,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("codesign.flow.validate.gpus", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda program, **_: None if program == "perl" else program)
    monkeypatch.setattr("codesign.commands.compare.run_study", lambda *_, **__: pytest.fail("it began"))
    (tmp_path / "empty").mkdir()
    path = tmp_path / "s.toml"
    path.write_text(STUDY.replace("[variant.two]\n", "") + body)
    assert main(["compare", str(path), "--build-dir", str(tmp_path / "build")]) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "build").exists()
