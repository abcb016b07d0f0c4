# SPDX-License-Identifier: Apache-2.0
"""From the delta graph to an HLS project and an RTL project.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`lower`         the pass that builds the delta graph and puts the delta layers in its place
`layers`        the hls4ml layers DeltaActivation, DeltaDense, DeltaConv, DeltaPool, DeltaUpsample, DeltaJoin
`templates`     C++ configuration and calls of activations and linear layers
`moving`        the same of the layers that only move codes
`cpp`           what both share
`project`       the HLS project (with a reset argument and counters) and the RTL project
==============  ===============================================================================
"""
