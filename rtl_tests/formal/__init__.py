# SPDX-License-Identifier: Apache-2.0
"""Proofs of the leaves: properties in SystemVerilog (``prove_*.sv``), a table of them, and what runs it."""
