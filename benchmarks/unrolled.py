# SPDX-License-Identifier: Apache-2.0
"""Dense layers fully unrolled by da4ml against the event engine of one layer.

Both sides get the same weights, biases and input codes, are held against the golden model, and are mapped to an ECP5
by the same Yosys command. Unrolled, a layer takes a frame a cycle whatever changes, as long as the device holds it and
something brings a whole frame in a cycle; the event engine takes 16 codes a beat and cycles that follow the changes.
"""

from __future__ import annotations
