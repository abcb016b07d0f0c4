# SPDX-License-Identifier: Apache-2.0
"""From a Keras model, and the hls4ml model made of it, to the delta graph.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`keras_model`   looks at a whole Keras model, refuses what cannot be exact, asks the handlers for the rest
`bridge`        Keras 3 handlers for every backend: layers that hls4ml lacks, and our `DeltaActivation`
`exact`         handlers of what delta networks compute exactly and hls4ml does not
`weights`       the weights as the Keras layer's own quantizers compute them
`config`        what the user's hls4ml configuration sets for a layer
`keys`          which keys of it exist, and which have an effect
`builder`       the hls4ml model as a delta graph
`nodes`         the graph under construction; `tensors`: what each tensor of hls4ml stands for in it
`linear`        layers that multiply and accumulate
`activations`   activations and quantizers
`between`       layers between them that only move or join codes
==============  ===============================================================================
"""
