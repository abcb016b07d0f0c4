# SPDX-License-Identifier: Apache-2.0
"""What skipping brings, measured: the tables of docs/performance.md, by ``python -m benchmarks``.

Cycles are simulated on the emitted RTL, ideal cycles counted on the golden model's trace. `dense` measures a dense
network on streams of given density, `conv` a convolutional one on video, `speed` the simulation itself; `tables` and
`record` write what they found.
"""
