# SPDX-License-Identifier: Apache-2.0
"""From a folder of videos to proved hardware: train, convert, run Keras, golden model, csim and RTL on the same frames.

Run it with ``python flows/own_videos.py FOLDER``. ``FOLDER/videos`` holds one folder of videos for each class; if there
is none, small ones are made. ``--videos`` stops after that.
"""

import sys
from pathlib import Path

import av
import numpy as np

SIZE, FRAMES = 16, 8


def make_videos(folder: Path, files: int = 20) -> None:
    """Write videos of a wide or a tall bar that drifts over a still background, one folder for each class."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:48, 0:64]
    background = rng.integers(0, 64, (48, 64))  # one camera, which stands still
    for name, height, width in (("tall", 12, 5), ("wide", 5, 12)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            start, speed = rng.uniform(18, 30, 2), rng.uniform(-0.6, 0.6, 2)
            with av.open(str(folder / name / f"{number:02}.mkv"), "w") as file:
                stream = file.add_stream("ffv1", rate=30, width=64, height=48, pix_fmt="gray")
                for time in range(2 * FRAMES):
                    y, x = abs(rows - start[0] - speed[0] * time), abs(columns - 8 - start[1] - speed[1] * time)
                    picture = np.where((y < height) & (x < width), 220, background).astype(np.uint8)
                    file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
                file.mux(stream.encode())


def main(folder: Path) -> int:
    """Train on the videos, convert, compare all forms; return the number of values that differ."""
    import hls4ml
    import keras

    from codesign import delta, over_time, verify
    from codesign.data import video_folder
    from codesign.verify.hardware import steady

    keras.utils.set_random_seed(0)
    data = video_folder(folder / "videos", frames=FRAMES, size=(SIZE, SIZE), seed=0)
    clips, labels = data.train.values(), data.train.labels
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    # 1. A plain Keras model of one frame, then delta activations in it, refined with a loss on what changes.
    plain = keras.Sequential([keras.Input((SIZE, SIZE, 1), name="frame")])
    for filters in (4, 8):
        plain.add(keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    plain.add(keras.layers.Flatten())
    plain.add(keras.layers.Dense(len(data.classes)))
    plain.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    plain.fit(clips.reshape(-1, SIZE, SIZE, 1), np.repeat(labels, FRAMES), epochs=30, verbose=0)
    network = delta(plain, clips=clips, input_bits=4, input_hold=1.0)
    refined = over_time(network, frames=FRAMES, sparsity=1.0)
    refined.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    refined.fit(clips, labels, epochs=5, verbose=0)
    figures = refined.evaluate(data.test.values(), data.test.labels, verbose=0, return_dict=True)

    # 2. Hardware, and every form of it on clips the network never saw.
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = {"result": "ap_ufixed<8,0>"}  # pixels / 256, as in training
    arguments = {"hls_config": config, "backend": "Delta", "output_dir": str(folder / "hls")}
    hardware = hls4ml.converters.convert_from_keras_model(network, **arguments)
    hardware.compile()
    graph = hardware.delta_graph
    codes = graph.source.fmt.to_codes(data.test.values())
    found = verify.run(graph, codes, cache=folder / "cache", keras=network, hls=hardware, dense_frames=FRAMES)
    cycles, dense = steady(found.rtl.cycles).mean(), found.rtl.dense_cycles.mean()
    print(f"accuracy {figures['accuracy']:.3f}, operation sparsity {figures['operation_sparsity']:.3f}")
    print(", ".join(f"{item.pair}: {item.mismatches} of {item.values} values differ" for item in found.comparisons))
    print(f"{cycles:.0f} cycles per frame, {dense:.0f} with skipping off: {dense / cycles:.1f} times fewer")
    return found.mismatches


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/own_videos")
    if not (target / "videos").is_dir():
        make_videos(target / "videos")
    sys.exit(0 if "--videos" in sys.argv else int(main(target) > 0))
