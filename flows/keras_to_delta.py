# SPDX-License-Identifier: Apache-2.0
"""From a plain Keras model to delta hardware: train, replace, refine, convert, simulate the RTL, compare every bit.

Run it with ``python flows/keras_to_delta.py [folder of the hls4ml project]``.
"""

import sys

import hls4ml
import keras
import numpy as np
from keras import layers

from codesign.data import moving_digits
from codesign.layers import delta, over_time, stream

keras.utils.set_random_seed(0)
data = moving_digits(frames=8, size=16, digit=12, travel=2, train=600, val=0, test=200, seed=0)
clips, labels, test = data.train.values(), data.train.labels, data.test
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

# 1. A plain Keras model of one frame.
plain = keras.Sequential([keras.Input((16, 16, 1), name="frame")])
for filters in (8, 16):
    plain.add(layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False))
    plain.add(layers.BatchNormalization())
    plain.add(layers.ReLU())
plain.add(layers.Flatten())
plain.add(layers.Dense(10))
plain.compile("adam", loss, metrics=["accuracy"])
plain.fit(clips.reshape(-1, 16, 16, 1), np.repeat(labels, 8), epochs=5, verbose=2)

# 2. The same with delta activations, refined on clips with a loss on what changes.
network = delta(plain, clips=clips, input_bits=5, input_hold=1.0)
refined = over_time(network, frames=8, sparsity=3.0)
refined.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
refined.fit(clips, labels, epochs=5, verbose=2)
figures = refined.evaluate(test.values(), test.labels, verbose=0, return_dict=True)

# 3. Hardware, on one long stream of frames the network never saw.
config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
folder = sys.argv[1] if len(sys.argv) > 1 else "build/keras_to_delta"
hardware = hls4ml.converters.convert_from_keras_model(network, hls_config=config, backend="Delta", output_dir=folder)
frames = test.values()[:8].reshape(-1, 16, 16, 1)
mismatches = int((hardware.predict(frames, sim="rtl") != stream(network, frames).outputs).sum())
print(f"accuracy {figures['accuracy']:.3f}, operation sparsity {figures['operation_sparsity']:.3f}")
print(f"RTL: {mismatches} mismatches, {hardware.rtl_stats['cycles_per_frame'].mean():.0f} cycles per frame")
sys.exit(int(mismatches > 0))
