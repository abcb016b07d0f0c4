# SPDX-License-Identifier: Apache-2.0
"""AMD's tools, for users who have them: Vivado on the RTL, Vitis HLS on the HLS project, and what they report."""
