# SPDX-License-Identifier: Apache-2.0
"""HLS compilers: the network's C++ as a stream of beats becomes Verilog, which runs where the RTL top does."""
