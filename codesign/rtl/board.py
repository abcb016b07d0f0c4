# SPDX-License-Identifier: Apache-2.0
"""The tops around a design's core: with registers for a system on chip, and with a serial port for a person.

::

    <name>_uart   uart_rx -> link -> uart_tx      (rx_i, tx_o)
                           |  AXI4-Lite, AXI4-Stream
    <name>_soc             control, registers     (s_axis, m_axis, s_axil)
    <name>_top                    core

`emit_soc` and `emit_uart` are pure, as `codesign.rtl.project` is: they return files and write nothing.
"""

from __future__ import annotations

import hashlib

from codesign.errors import ConversionError
from codesign.graph.ir import Graph
from codesign.rtl.host import host_files
from codesign.rtl.project import emit
from codesign.rtl.registers import ADDRESS_BITS, RegisterMap, compiled, description, hold_member, regblock
from codesign.rtl.registers import register_map as map_of
from codesign.rtl.spec import TopSpec, top_spec

MOST_PAYLOAD = 0xFFFF
"""Bytes of a packet's payload."""
_RESULT_HEAD, _FRAME_HEAD = 5, 1


def design_id(graph: Graph) -> int:
    """Return the first 32 bits of the SHA-256 of the core's RTL project: its paths, sorted, and texts."""
    files = emit(graph)
    text = "".join(f"{path}\0{files[path]}" for path in sorted(files))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def register_map(graph: Graph) -> RegisterMap:
    """Return the registers of ``emit_soc(graph)`` by name."""
    number = design_id(graph)
    return map_of(compiled(description(top_spec(graph), graph.name, number)), graph.name, number)


def emit_soc(graph: Graph) -> dict[str, str]:
    """Return the RTL project whose top is ``<name>_soc``: the core behind AXI4-Lite registers. Path -> text.

    Beside the files of ``emit(graph)``: the registers as SystemRDL, as SystemVerilog and as ``registers.json``.

    Raises:
        ConversionError: the graph cannot be wired, or has too many engines or holds for the registers.
    """
    spec, number = top_spec(graph), design_id(graph)
    text = description(spec, graph.name, number)
    root = compiled(text)
    files = emit(graph) | regblock(root) | host_files("control")
    files[f"{graph.name}_soc.sv"] = _soc_text(graph, spec)
    files[f"{graph.name}_registers.rdl"] = text
    files["registers.json"] = map_of(root, graph.name, number).to_json()
    return _with_filelist(files)


def emit_uart(graph: Graph) -> dict[str, str]:
    """Return the RTL project whose top is ``<name>_uart``: ``<name>_soc`` behind a serial port. Path -> text.

    Raises:
        ConversionError: as of `emit_soc`, or a frame or its result is too long for a packet of the link.
    """
    spec = top_spec(graph)
    check_packets(spec)
    files = emit_soc(graph) | host_files()
    files[f"{graph.name}_uart.sv"] = _uart_text(graph, spec)
    return _with_filelist(files)


def _with_filelist(files: dict[str, str]) -> dict[str, str]:
    """Return ``files`` with their sources in ``filelist.f``: a package stands in front of its readers."""
    return files | {"filelist.f": "".join(f"{path}\n" for path in files if path.endswith(".sv"))}


def _beat_bytes(spec: TopSpec) -> tuple[int, int]:
    """Return the bytes of an input beat and of an output beat."""
    return spec.in_lanes * spec.in_lane_bits // 8, spec.out_lanes * spec.out_lane_bits // 8


def check_packets(spec: TopSpec) -> None:
    """Check that a frame and its result each fit a packet of the link.

    Raises:
        ConversionError: one does not.
    """
    in_bytes, out_bytes = _beat_bytes(spec)
    sizes = {"frame": _FRAME_HEAD + spec.beats * in_bytes, "result": _RESULT_HEAD + spec.out_words * out_bytes}
    for what, size in sizes.items():
        if size > MOST_PAYLOAD:
            raise ConversionError(
                f"a {what} is too long for a packet of the serial link",
                where=spec.module,
                expected=f"at most {MOST_PAYLOAD} bytes",
                received=f"{size} bytes",
                fix="use the AXI4 top (emit_soc), or smaller frames",
            )


def _soc_text(graph: Graph, spec: TopSpec) -> str:
    name = graph.name
    in_bytes, out_bytes = _beat_bytes(spec)
    thresholds = ", ".join(f"hwif_out.{hold_member(hold.name)}" for hold in reversed(spec.holds))
    declared = f"  logic [{max(1, spec.threshold_bits) - 1}:0] threshold;\n"
    return _SOC.format(
        name=name,
        in_bits=8 * in_bytes - 1,
        out_bits=8 * out_bytes - 1,
        address=ADDRESS_BITS - 1,
        probe=4 * len(spec.engines) - 1,
        threshold_width=max(1, spec.threshold_bits),
        unused_threshold="" if spec.holds else declared,
        used_threshold=declared if spec.holds else "",
        thresholds=f"{{{thresholds}}}" if spec.holds else "1'b0",
        threshold_port="      .threshold_i(threshold),\n" if spec.holds else "",
    )


def _uart_text(graph: Graph, spec: TopSpec) -> str:
    in_bytes, out_bytes = _beat_bytes(spec)
    return _UART.format(
        name=graph.name,
        beats=spec.beats,
        in_bytes=in_bytes,
        out_words=spec.out_words,
        out_bytes=out_bytes,
        in_bits=8 * in_bytes - 1,
        out_bits=8 * out_bytes - 1,
        address=ADDRESS_BITS - 1,
    )


_SOC = """\
// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {name}: the core {name}_top, its registers (registers.json), and what they do to it.
module {name}_soc #(
    parameter bit Skip = 1'b1,  // 0: every element is an event (the dense baseline)
    parameter int unsigned ClockHz = 0  // only told to who asks
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic [{in_bits}:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,
    input  logic [0:0] s_axis_tuser,
    output logic [{out_bits}:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast,
    input  logic [{address}:0] s_axil_awaddr,
    input  logic [2:0] s_axil_awprot,
    input  logic s_axil_awvalid,
    output logic s_axil_awready,
    input  logic [31:0] s_axil_wdata,
    input  logic [3:0] s_axil_wstrb,
    input  logic s_axil_wvalid,
    output logic s_axil_wready,
    output logic [1:0] s_axil_bresp,
    output logic s_axil_bvalid,
    input  logic s_axil_bready,
    input  logic [{address}:0] s_axil_araddr,
    input  logic [2:0] s_axil_arprot,
    input  logic s_axil_arvalid,
    output logic s_axil_arready,
    output logic [31:0] s_axil_rdata,
    output logic [1:0] s_axil_rresp,
    output logic s_axil_rvalid,
    input  logic s_axil_rready
);
  {name}_registers_pkg::{name}_registers__in_t hwif_in;
  // verilator lint_off UNUSEDSIGNAL
  {name}_registers_pkg::{name}_registers__out_t hwif_out;  // the counters cannot be written
  logic [{probe}:0] probe;  // the counters see it too
{unused_threshold}  // verilator lint_on UNUSEDSIGNAL
  logic core_rst_n, core_tvalid, core_tready, core_tuser, new_stream;
  logic [1:0] error;
  logic [31:0] counter, counter_q;
{used_threshold}  logic [7:0] counter_addr_q;  // a register on either side of the counters' multiplexer
  logic [3:1] read_q;
  logic write_q;

  assign hwif_in.clock_hz.value.next = ClockHz;
  assign hwif_in.status.early.next = error[0];
  assign hwif_in.status.late.next = error[1];
  assign hwif_in.status.new_stream.next = new_stream;
  assign hwif_in.counters.rd_ack = read_q[3];
  assign hwif_in.counters.rd_data = counter_q;
  assign hwif_in.counters.wr_ack = write_q;

  always_ff @(posedge clk_i) begin
    counter_addr_q <= hwif_out.counters.addr[9:2];
    counter_q <= counter;
    read_q  <= {{read_q[2:1], rst_ni && hwif_out.counters.req && !hwif_out.counters.req_is_wr}};
    write_q <= rst_ni && hwif_out.counters.req && hwif_out.counters.req_is_wr;
  end

  {name}_registers i_registers (
      .clk(clk_i),
      .rst_n(rst_ni),
      .s_axil_awready,
      .s_axil_awvalid,
      .s_axil_awaddr,
      .s_axil_awprot,
      .s_axil_wready,
      .s_axil_wvalid,
      .s_axil_wdata,
      .s_axil_wstrb,
      .s_axil_bready,
      .s_axil_bvalid,
      .s_axil_bresp,
      .s_axil_arready,
      .s_axil_arvalid,
      .s_axil_araddr,
      .s_axil_arprot,
      .s_axil_rready,
      .s_axil_rvalid,
      .s_axil_rdata,
      .s_axil_rresp,
      .hwif_in,
      .hwif_out
  );

  board_control #(
      .ThresholdWidth({threshold_width})
  ) i_control (
      .clk_i,
      .rst_ni,
      .reset_i(hwif_out.control.reset.value),
      .new_stream_i(hwif_out.control.new_stream.value),
      .threshold_i({thresholds}),
      .s_axis_tvalid,
      .s_axis_tready,
      .s_axis_tlast,
      .s_axis_tuser(s_axis_tuser[0]),
      .core_tvalid_o(core_tvalid),
      .core_tready_i(core_tready),
      .core_tuser_o(core_tuser),
      .packet_i(m_axis_tvalid && m_axis_tready && m_axis_tlast),
      .core_rst_no(core_rst_n),
      .new_stream_o(new_stream),
      .threshold_o(threshold)
  );

  {name}_top #(
      .Skip(Skip)
  ) i_core (
      .clk_i,
      .rst_ni(core_rst_n),
{threshold_port}      .s_axis_tdata,
      .s_axis_tvalid(core_tvalid),
      .s_axis_tready(core_tready),
      .s_axis_tlast,
      .s_axis_tuser(core_tuser),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast,
      .error_o(error),
      .stat_addr_i(counter_addr_q),
      .stat_data_o(counter),
      .probe_o(probe)
  );
endmodule
"""

_UART = """\
// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {name}: {name}_soc behind a serial port, 8N1. LEDs, from bit 0 on: a byte comes in, a byte
// goes out, a frame runs, the last packet was refused, and the low four bits of the number of frames.
module {name}_uart #(
    parameter bit Skip = 1'b1,  // 0: every element is an event (the dense baseline)
    parameter int unsigned ClockHz = 25_000_000,
    parameter int unsigned Baud = 1_000_000
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic rx_i,
    output logic tx_o,
    output logic [7:0] led_o
);
  // verilator lint_off PINCONNECTEMPTY
  logic rx_valid, tx_valid, tx_ready, busy, refused;
  logic [7:0] rx_data, tx_data;
  logic [3:0] frames;
  logic [{in_bits}:0] frame_tdata;
  logic frame_tvalid, frame_tready, frame_tlast;
  logic [0:0] frame_tuser;
  logic [{out_bits}:0] packet_tdata;
  logic packet_tvalid, packet_tready, packet_tlast;
  logic [{address}:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;

  assign led_o = {{frames, refused, busy, !tx_o, !rx_i}};

  board_uart_rx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) i_uart_rx (
      .clk_i,
      .rst_ni,
      .rx_i,
      .valid_o(rx_valid),
      .data_o(rx_data),
      .error_o()
  );

  board_uart_tx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) i_uart_tx (
      .clk_i,
      .rst_ni,
      .valid_i(tx_valid),
      .ready_o(tx_ready),
      .data_i(tx_data),
      .tx_o
  );

  board_link #(
      .FrameBeats({beats}),
      .FrameBeatBytes({in_bytes}),
      .PacketBeats({out_words}),
      .PacketBeatBytes({out_bytes})
  ) i_link (
      .clk_i,
      .rst_ni,
      .rx_valid_i(rx_valid),
      .rx_data_i(rx_data),
      .tx_valid_o(tx_valid),
      .tx_ready_i(tx_ready),
      .tx_data_o(tx_data),
      .m_axis_tdata(frame_tdata),
      .m_axis_tvalid(frame_tvalid),
      .m_axis_tready(frame_tready),
      .m_axis_tlast(frame_tlast),
      .m_axis_tuser(frame_tuser),
      .s_axis_tdata(packet_tdata),
      .s_axis_tvalid(packet_tvalid),
      .s_axis_tready(packet_tready),
      .s_axis_tlast(packet_tlast),
      .m_axil_awaddr(awaddr),
      .m_axil_awvalid(awvalid),
      .m_axil_awready(awready),
      .m_axil_wdata(wdata),
      .m_axil_wvalid(wvalid),
      .m_axil_wready(wready),
      .m_axil_bvalid(bvalid),
      .m_axil_bready(bready),
      .m_axil_araddr(araddr),
      .m_axil_arvalid(arvalid),
      .m_axil_arready(arready),
      .m_axil_rdata(rdata),
      .m_axil_rvalid(rvalid),
      .m_axil_rready(rready),
      .busy_o(busy),
      .refused_o(refused),
      .frames_o(frames)
  );

  {name}_soc #(
      .Skip(Skip),
      .ClockHz(ClockHz)
  ) i_soc (
      .clk_i,
      .rst_ni,
      .s_axis_tdata(frame_tdata),
      .s_axis_tvalid(frame_tvalid),
      .s_axis_tready(frame_tready),
      .s_axis_tlast(frame_tlast),
      .s_axis_tuser(frame_tuser),
      .m_axis_tdata(packet_tdata),
      .m_axis_tvalid(packet_tvalid),
      .m_axis_tready(packet_tready),
      .m_axis_tlast(packet_tlast),
      .s_axil_awaddr(awaddr),
      .s_axil_awprot(3'd0),
      .s_axil_awvalid(awvalid),
      .s_axil_awready(awready),
      .s_axil_wdata(wdata),
      .s_axil_wstrb(4'hF),
      .s_axil_wvalid(wvalid),
      .s_axil_wready(wready),
      .s_axil_bresp(),
      .s_axil_bvalid(bvalid),
      .s_axil_bready(bready),
      .s_axil_araddr(araddr),
      .s_axil_arprot(3'd0),
      .s_axil_arvalid(arvalid),
      .s_axil_arready(arready),
      .s_axil_rdata(rdata),
      .s_axil_rresp(),
      .s_axil_rvalid(rvalid),
      .s_axil_rready(rready)
  );
  // verilator lint_on PINCONNECTEMPTY
endmodule
"""
