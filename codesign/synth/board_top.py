# SPDX-License-Identifier: Apache-2.0
"""The board top, outermost module of a board: pins, PLL and reset around the serial top. Text, nothing is written."""

from __future__ import annotations

from codesign.synth.target import Target
from codesign.synth.toolchains.toolchain import Toolchain, clock_of

RESET_BITS = 10
"""Bits of the counter that holds the reset after power-up, after the button, and until the PLL has locked."""


def pads_module(design: str, board: Target) -> str:
    """Return the name of the outermost module."""
    return f"{design}_{board.name.replace('-', '_')}"


def pads_text(
    design: str, board: Target, toolchain: Toolchain, *, core_mhz: float, baud: int, skip: bool = True
) -> str:
    """Return the SystemVerilog of the outermost module, around ``<design>_uart``.

    The design's clock is what the PLL really makes, so the serial port keeps its rate, ``baud``.

    Raises:
        ConfigError: the PLL cannot make ``core_mhz``.
    """
    pll = clock_of(board, toolchain.limits, core_mhz)
    mhz = core_mhz if pll is None else pll.output_mhz
    clock = "  assign clk = clk_pad;\n  assign locked = 1'b1;\n" if pll is None else toolchain.pll(pll)
    leds = board.leds[:8]
    inputs = ["clk_pad", "rx_pad", *(["button_pad"] if board.button else [])]
    outputs = ["tx_pad", *([f"[{len(leds) - 1}:0] led_pad"] if leds else [])]
    lines = [f"    input  wire {name}" for name in inputs] + [f"    output wire {name}" for name in outputs]
    pressed = "1'b0" if board.button is None else ("!" if board.button.inverted else "") + "button_pad"
    inverted = "".join(str(int(led.inverted)) for led in reversed(leds))
    return _TEXT.format(
        title=board.title,
        module=pads_module(design, board),
        design=design,
        ports=",\n".join(lines),
        clock=clock.rstrip("\n"),
        pressed=pressed,
        high=RESET_BITS - 1,
        bits=RESET_BITS,
        skip=int(skip),
        hertz=round(mhz * 1e6),
        baud=baud,
        leds=f"  assign led_pad = led[{len(leds) - 1}:0] ^ {len(leds)}'b{inverted};\n" if leds else "",
    )


_TEXT = """\
// SPDX-License-Identifier: Apache-2.0
// Generated for {title}.
// Reset: held from power-up until the PLL has locked, the button is released and 2^{bits} clocks have passed.
module {module} (
{ports}
);
  wire clk, locked;
{clock}

  reg [1:0] ready = 2'b00;  // synchroniser of what does not follow the clock
  reg [{high}:0] count = {bits}'d0;
  reg rst_n = 1'b0;
  always @(posedge clk) begin
    ready <= {{ready[0], locked && !({pressed})}};
    if (!ready[1]) count <= {bits}'d0;
    else if (!(&count)) count <= count + 1'b1;
    rst_n <= &count;
  end

  wire [7:0] led;
{leds}  {design}_uart #(
      .Skip(1'b{skip}),
      .ClockHz({hertz}),
      .Baud({baud})
  ) i_uart (
      .clk_i(clk),
      .rst_ni(rst_n),
      .rx_i(rx_pad),
      .tx_o(tx_pad),
      .led_o(led)
  );
endmodule
"""
