# SPDX-License-Identifier: Apache-2.0
# A Zynq with the design in its fabric: processor, DMA (memory to stream and back), the core and its registers.
#
#   memory <- HP port <- memory_bus <- dma -> core -> dma -> memory_bus -> HP port -> memory
#   processor -> control_bus -> dma, core (AXI4-Lite)
#
# A delta core that networks are loaded into has more:
#   memory <- HP port <- memory_bus <- images -> core              its images, with "loads"
#   memory <- second HP port <- core_bus <- core                   what does not fit inside, with "memory_bits"
# Where in the processor's memory that lies is a register of the core: the driver allocates it.
#
# Needs: settings.tcl, a core with the ports s_axis, m_axis, s_axil, clk_i, rst_ni, whose stream widths the DMA knows; with
# "loads" s_axis_load, with "memory_bits" m_axi.
# Leaves: design.bit, design.hwh, synth_utilisation.rpt, route_utilisation.rpt, route_timing.rpt.
source settings.tcl

create_project system system -part $part -force
# With the board's files installed the processor is set up for the board. Without them a system that has booted already,
# as PYNQ has, still takes the bitstream: its memory and pins were set up at boot.
set on_board [expr {$board_files ne "" && [llength [get_board_parts -quiet $board_files]] > 0}]
if {$on_board} {
  set_property board_part $board_files [current_project]
} else {
  puts "board files of '$board_files' are not installed: the processor keeps its default memory and pins"
}
add_files -norecurse [concat $sources $memories]
update_compile_order -fileset sources_1

proc cell {type name {config {}}} {
  set made [create_bd_cell -type ip -vlnv xilinx.com:ip:$type $name]
  if {[llength $config]} { set_property -dict $config $made }
  return $made
}
proc wire {from args} {
  foreach to $args { connect_bd_net [get_bd_pins $from] [get_bd_pins $to] }
}
proc bus {from to} {
  connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

create_bd_design system

# The two families differ in the names of their processor's ports.
switch $processor {
  zynq {
    set ps [cell processing_system7 ps]
    set rule {make_external "FIXED_IO, DDR" Master Disable Slave Disable}
    apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
      -config [concat $rule apply_board_preset $on_board] $ps
    set_property -dict [list \
      CONFIG.PCW_USE_M_AXI_GP0 1 \
      CONFIG.PCW_USE_S_AXI_HP0 1 \
      CONFIG.PCW_EN_CLK0_PORT 1 \
      CONFIG.PCW_EN_RST0_PORT 1 \
      CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz] $ps
    array set port {
      clock FCLK_CLK0 reset FCLK_RESET0_N
      control M_AXI_GP0 control_clock M_AXI_GP0_ACLK memory S_AXI_HP0 memory_clock S_AXI_HP0_ACLK
    }
  }
  zynqmp {
    set ps [cell zynq_ultra_ps_e ps]
    apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e \
      -config [list apply_board_preset $on_board] $ps
    set_property -dict [list \
      CONFIG.PSU__USE__M_AXI_GP0 1 \
      CONFIG.PSU__USE__M_AXI_GP1 0 \
      CONFIG.PSU__USE__M_AXI_GP2 0 \
      CONFIG.PSU__USE__S_AXI_GP2 1 \
      CONFIG.PSU__FPGA_PL0_ENABLE 1 \
      CONFIG.PSU__USE__FABRIC__RST 1 \
      CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz] $ps
    array set port {
      clock pl_clk0 reset pl_resetn0
      control M_AXI_HPM0_FPD control_clock maxihpm0_fpd_aclk memory S_AXI_HP0_FPD memory_clock saxihp0_fpd_aclk
    }
  }
  default { error "no processor is known for '$processor': expected zynq or zynqmp" }
}

# The core's memory has a port of its own, so that frames and packets do not wait for it.
if {$memory_bits} {
  switch $processor {
    zynq {
      set_property CONFIG.PCW_USE_S_AXI_HP1 1 $ps
      array set port {core S_AXI_HP1 core_clock S_AXI_HP1_ACLK}
    }
    zynqmp {
      set_property CONFIG.PSU__USE__S_AXI_GP3 1 $ps
      array set port {core S_AXI_HP1_FPD core_clock saxihp1_fpd_aclk}
    }
  }
}

create_bd_cell -type module -reference $top core
set dma [cell axi_dma dma]
set_property CONFIG.c_s_axis_s2mm_tdata_width.VALUE_SRC USER $dma
set_property -dict [list \
  CONFIG.c_include_sg 0 \
  CONFIG.c_sg_include_stscntrl_strm 0 \
  CONFIG.c_sg_length_width 26 \
  CONFIG.c_m_axis_mm2s_tdata_width [expr {8 * $in_bytes}] \
  CONFIG.c_m_axi_mm2s_data_width [expr {max(32, 8 * $in_bytes)}] \
  CONFIG.c_s_axis_s2mm_tdata_width [expr {8 * $out_bytes}] \
  CONFIG.c_m_axi_s2mm_data_width [expr {max(32, 8 * $out_bytes)}]] $dma

set controlled {dma/S_AXI_LITE core/s_axil}
set moved {dma/M_AXI_MM2S dma/M_AXI_S2MM}
set clocks {dma/s_axi_lite_aclk dma/m_axi_mm2s_aclk dma/m_axi_s2mm_aclk core/clk_i}
set resets {dma/axi_resetn core/rst_ni}
if {$loads} {
  set images [cell axi_dma images]
  set_property -dict [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_include_s2mm 0 \
    CONFIG.c_m_axis_mm2s_tdata_width 32 \
    CONFIG.c_m_axi_mm2s_data_width 32] $images
  bus images/M_AXIS_MM2S core/s_axis_load
  lappend controlled images/S_AXI_LITE
  lappend moved images/M_AXI_MM2S
  lappend clocks images/s_axi_lite_aclk images/m_axi_mm2s_aclk
  lappend resets images/axi_resetn
}

# A SmartConnect: its slave ports, then the ports that it leads to.
proc connected {name from to} {
  cell smartconnect $name [list CONFIG.NUM_SI [llength $from] CONFIG.NUM_MI [llength $to]]
  set number 0
  foreach pin $from { bus $pin [format "%s/S%02d_AXI" $name $number]; incr number }
  set number 0
  foreach pin $to { bus [format "%s/M%02d_AXI" $name $number] $pin; incr number }
}
connected control_bus ps/$port(control) $controlled
connected memory_bus $moved ps/$port(memory)
set busses {control_bus memory_bus}
if {$memory_bits} {
  connected core_bus core/m_axi ps/$port(core)
  lappend busses core_bus
  lappend clocks ps/$port(core_clock)
}
foreach name $busses {
  lappend clocks $name/aclk
  lappend resets $name/aresetn
}

cell proc_sys_reset reset
bus dma/M_AXIS_MM2S core/s_axis
bus core/m_axis dma/S_AXIS_S2MM
wire ps/$port(clock) reset/slowest_sync_clk ps/$port(control_clock) ps/$port(memory_clock) {*}$clocks
wire ps/$port(reset) reset/ext_reset_in
wire reset/peripheral_aresetn {*}$resets

assign_bd_address
validate_bd_design
save_bd_design
set_property synth_checkpoint_mode None [get_files system.bd]
generate_target all [get_files system.bd]
make_wrapper -files [get_files system.bd] -top -import
set_property top system_wrapper [get_filesets sources_1]
update_compile_order -fileset sources_1

proc finish {run args} {
  launch_runs $run {*}$args
  wait_on_run $run
  if {[get_property PROGRESS [get_runs $run]] ne "100%"} {
    error "$run stopped: [get_property STATUS [get_runs $run]]. See [get_property DIRECTORY [get_runs $run]]/runme.log"
  }
}
finish synth_1 -jobs $jobs
open_run synth_1
report_utilization -hierarchical -file synth_utilisation.rpt
close_design
finish impl_1 -to_step write_bitstream -jobs $jobs
open_run impl_1
report_utilization -hierarchical -file route_utilisation.rpt
report_timing_summary -max_paths 10 -file route_timing.rpt

file copy -force [get_property DIRECTORY [get_runs impl_1]]/system_wrapper.bit design.bit
# Up to Vivado 2020.1 the hand-off is among the sources, since then among what is generated.
set handoff [glob system/system.{gen,srcs}/sources_1/bd/system/hw_handoff/system.hwh]
file copy -force [lindex $handoff 0] design.hwh
