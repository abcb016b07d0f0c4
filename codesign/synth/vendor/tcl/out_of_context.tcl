# SPDX-License-Identifier: Apache-2.0
# Synthesis, placement and routing of one module without pads: what it takes and how fast it is.
# Needs: settings.tcl. Leaves: synth_utilisation.rpt, route_utilisation.rpt, route_timing.rpt, route.dcp.
source settings.tcl

set constraints [open clock.xdc w]
puts $constraints "create_clock -name clk -period [expr {1000.0 / $clock_mhz}] \[get_ports clk_i\]"
close $constraints

create_project -in_memory -part $part
read_verilog -sv $sources
if {[llength $memories]} { read_mem $memories }
read_xdc -mode out_of_context clock.xdc

set options [list -top $top -part $part -mode out_of_context]
foreach generic $generics { lappend options -generic $generic }
synth_design {*}$options
report_utilization -hierarchical -file synth_utilisation.rpt

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force route.dcp
report_utilization -hierarchical -file route_utilisation.rpt
report_timing_summary -max_paths 10 -file route_timing.rpt
