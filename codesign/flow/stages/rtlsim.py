# SPDX-License-Identifier: Apache-2.0
"""Stage 4_rtlsim: every clip through the Verilated RTL, and some frames with skipping off."""

from __future__ import annotations
