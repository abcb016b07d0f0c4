# SPDX-License-Identifier: Apache-2.0
# C synthesis of a network as a stream of beats: its Verilog, for simulation and as a core.
source settings.tcl
open_project -reset $project
set_top $top
add_files "$top.cpp" -cflags "-std=c++11"
open_solution -reset "solution1"
set_part $part
create_clock -period $period -name default
config_rtl -reset all
csynth_design
exit
