# SPDX-License-Identifier: Apache-2.0
"""A stage's manifest: what went in, what came out. It decides what is cached and notices what was touched since."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign import trust
from codesign.errors import ConfigError, StageError, TrustError
from codesign.flow.stage import Stage
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.provenance import installed
from codesign.records import build, plain
from codesign.sources import digest, file_hash, source_hash
from codesign.stored import anew, read_text

NAME = "manifest.json"
LOG = "log.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything a stage's result depends on.

    Attributes:
        config: the design's values it reads, by ``section.key``.
        source: hash of the code that runs.
        upstream: hash of the outputs of each earlier stage it reads.
        versions: versions of the distributions it uses; None if not installed.
    """

    config: dict[str, Any]
    source: str
    upstream: dict[str, str]
    versions: dict[str, str | None]

    def difference(self, other: Inputs) -> str | None:
        """Return in words what differs from ``other``, the newer inputs; None if nothing."""
        for title, old, new in (
            ("", self.config, other.config),
            ("stage ", self.upstream, other.upstream),
            ("version of ", self.versions, other.versions),
        ):
            changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
            if changed:
                return f"{title}{', '.join(changed[:3])} changed"
        return "its source code changed" if self.source != other.source else None

    @property
    def digest(self) -> str:
        """Hash of all of it."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The record a finished stage leaves in its folder.

    Attributes:
        stage: name.
        status: ``ok`` or ``skipped``.
        note: reason of the skip, or a few words about the result.
        inputs: see `Inputs`.
        outputs: SHA-256 of every file written, by path in the folder; the log and this file are not outputs.
        seed: seed of the design.
        seconds: wall-clock time the stage took.
        finished: UTC time, ISO 8601.
    """

    stage: str
    status: str
    note: str | None
    inputs: Inputs
    outputs: dict[str, str]
    seed: int
    seconds: float
    finished: str

    @property
    def digest(self) -> str:
        """Hash of what later stages see."""
        return hashlib.sha256(json.dumps([self.status, self.outputs], sort_keys=True).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``, with the seal of this user."""
        write_text(folder / NAME, json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        trust.seal(folder / NAME, _sealed_as(folder))


def _sealed_as(folder: Path) -> str:
    """Return what the seal of a manifest is for: one stage, so that it proves nothing in the folder of another."""
    return f"manifest of {folder.name.removesuffix(BuildFolder.PARTIAL)}"


def read(folder: Path) -> Manifest | None:
    """Return the manifest in a stage folder, None if there is none.

    Raises:
        StageError: it is there but cannot be read.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        done = build(Manifest, json.loads(read_text(path)), where="", folder=folder)
        outside = [name for name in done.outputs if ".." in Path(name).parts or Path(name).is_absolute()]
        if outside:
            raise ValueError(f"no file of the stage: {outside[0]}")
        return done
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        raise StageError(
            f"the manifest was edited or is from another version ({error})",
            where=str(path),
            fix=f"make it anew: `{anew(folder)}`",
        ) from None


def files_of(build: Path) -> list[Path]:
    """Return the files in a build folder that its stages and builds for boards made, as far as manifests list them."""
    found: list[Path] = []
    for path in (*build.glob(f"*/{NAME}"), *build.glob(f"boards/*/{NAME}")):
        with contextlib.suppress(StageError):
            done = read(path.parent)
            found += [path, *(path.parent / name for name in (done.outputs if done else ()))]
    return found


def inputs_of(stage: Stage, design: Any, upstream: dict[str, str]) -> Inputs:
    """Return the inputs a stage would have now; ``upstream`` maps stage names to output digests."""
    config: dict[str, Any] = {}
    for key in ("design.seed", *stage.config, *(stage.config_of(design) if stage.config_of else ())):
        value = design
        for part in key.split("."):
            value = getattr(value, part)
        config |= _flat(key, value)
    return Inputs(
        config=config,
        source=source_hash(stage.module),
        upstream={name: upstream[name] for name in stage.after},
        versions={name: installed(name) for name in stage.packages},
    )


def _flat(key: str, value: Any) -> dict[str, Any]:
    """Return a config value by dotted keys; a path brings a hash of what lies there."""
    if dataclasses.is_dataclass(value):
        parts = [_flat(f"{key}.{item.name}", getattr(value, item.name)) for item in dataclasses.fields(value)]
        return {name: item for part in parts for name, item in part.items()}
    if isinstance(value, Path):
        files = [value] if value.is_file() else [path for path in value.rglob("*") if path.is_file()]
        return {
            key: str(value),
            f"{key} content": digest({str(path.relative_to(value.parent)): path for path in files}),
        }
    return {key: plain(value)}


def hash_outputs(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every output file in a stage folder, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: file_hash(path) for name, path in names.items() if name not in (NAME, LOG, NAME + trust.SEAL)}


def touched(manifest: Manifest, folder: Path) -> tuple[list[str], list[str]]:
    """Return the outputs that were edited, and those that were deleted, since the stage finished."""
    deleted = [name for name in manifest.outputs if not (folder / name).is_file()]
    edited = [name for name, was in manifest.outputs.items() if name not in deleted and file_hash(folder / name) != was]
    return edited, deleted


def check_own(folder: Path) -> None:
    """Check that this user ran a stage: what it wrote may then be run.

    Raises:
        TrustError: the stage was run by another user, or before there were seals.
    """
    if trust.sealed(folder / NAME, _sealed_as(folder)) is None:
        raise TrustError(
            "this was not written by you, and what is in it would be run",
            where=str(folder),
            expected="a stage that this user ran",
            fix=f"write it anew: `{anew(folder)}`",
        )


def check_unedited(folder: Path) -> Manifest:
    """Return the manifest of a finished stage whose outputs are as it left them.

    Raises:
        StageError: not finished, or an output was edited or deleted.
    """
    manifest = read(folder)
    if manifest is None:
        raise StageError("the stage has not been run", where=str(folder), fix="run `codesign run` on the design's TOML")
    edited, deleted = touched(manifest, folder)
    if deleted:
        raise StageError(
            "outputs were deleted", where=str(folder), received=", ".join(deleted[:5]), fix="run `codesign run` again"
        )
    if edited:
        raise edited_error(folder, edited)
    return manifest


def edited_error(folder: Path, edited: list[str]) -> StageError:
    """Return the error for outputs edited after the stage finished, with the two ways out."""
    return StageError(
        "outputs were edited after the stage finished; later stages would not match what made them",
        where=str(folder),
        expected="files as the stage wrote them",
        received=", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "") + " changed",
        fix=f"restore the file, or throw the edit away: `{anew(folder)}`"
        + ("" if folder.parent.name == "boards" else " (or all edits, with `codesign run DESIGN.toml --force`)"),
    )
