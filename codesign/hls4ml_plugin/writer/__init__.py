# SPDX-License-Identifier: Apache-2.0
"""From the delta graph to an HLS project and an RTL project.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`lower`         the pass that builds the delta graph and puts the delta layers in its place
`tokens`        what travels between the kernels
`layers`        the hls4ml layers DeltaActivation, DeltaDense, DeltaConv, DeltaPool, DeltaUpsample, DeltaJoin ...
`templates`     C++ configuration and calls of activations, dense layers and the output
`sliding`       the same of convolutions, pooling, upsampling and joins
`cpp`           what both share
`project`       the HLS project (with a reset argument and counters) and the RTL project
==============  ===============================================================================
"""
