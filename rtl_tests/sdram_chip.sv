// SPDX-License-Identifier: Apache-2.0
// Function:   a 16-bit SDR SDRAM of 4 banks, 8192 rows and 512 columns, for simulation: keeps what is written, and ends
//             the simulation at the first command that a data sheet forbids
// Latency:    that of the mode register, 2 or 3 cycles; if Late, half a cycle more, as tAC and pads take time
// Reset:      none; what it holds is lost when the mode is set, as the controller was reset and nothing refreshed it
// Model:      rtl_tests.bench_sdram.Memory
// Times are counted in clocks of ClockPs. It knows what sdram_commands uses: bursts of 2 words that are never cut off,
// no auto-precharge, no masks, no power-down. A word that was not written is not 0.
// verilator lint_off PROCASSINIT
// verilator lint_off BLKSEQ
module sdram_chip #(
    parameter longint unsigned ClockPs = 10_000,
    parameter longint unsigned StartPs = 200_000_000,
    parameter longint unsigned RcdPs = 21_000,
    parameter longint unsigned RpPs = 21_000,
    parameter longint unsigned RasPs = 44_000,
    parameter longint unsigned RasMostPs = 100_000_000,
    parameter longint unsigned RcPs = 66_000,
    parameter longint unsigned RfcPs = 66_000,
    parameter longint unsigned RrdPs = 15_000,
    parameter longint unsigned WrPs = 15_000,
    parameter longint unsigned MrdPs = 2 * ClockPs,
    parameter longint unsigned RefreshPs = 7_812_500,
    parameter longint unsigned MostOwed = 1,
    parameter longint unsigned FirstRefreshes = 8,
    parameter bit Late = 1'b1
) (
    input logic        clk,
    input logic        cke,
    input logic        csn,
    input logic        rasn,
    input logic        casn,
    input logic        wen,
    input logic [ 1:0] ba,
    input logic [12:0] a,
    input logic [ 1:0] dqm,
    inout wire  [15:0] dq
);
  typedef longint unsigned ps_t;
  localparam ps_t Never = 0;

  bit [15:0] store[bit [23:0]];
  ps_t now = 1_000_000_000;  // so that nothing was just before
  ps_t began = 1_000_000_000;
  ps_t activated[4] = '{default: Never}, precharged[4] = '{default: Never}, written[4] = '{default: Never};
  ps_t column[4] = '{default: Never};
  ps_t any_activated = Never, refreshed = Never, mode_set = Never, counted_from = Never, read_ends = Never;
  ps_t refreshes = 0;
  bit open[4] = '{default: 0};
  bit [12:0] row[4];
  bit all_precharged = 0, mode_known = 0;
  int unsigned latency = 0, first_refreshes = 0;

  // Words on their way out, and the second word of a write.
  bit [15:0] words[6];
  bit [5:0] valid = '0;
  bit second = 0;
  bit [23:0] second_at;
  bit [15:0] out, next_word;
  bit drive = 0, next_valid = 0;
  assign dq = (Late ? drive : next_valid) ? (Late ? out : next_word) : 'z;

  function automatic void wrong(input string what);
    $fatal(1, "sdram_chip: %s, bank %0d, after %0d ns", what, ba, (now - began) / 1000);
  endfunction

  function automatic void since(input ps_t event_at, input ps_t least, input string what);
    if (event_at != Never && now < event_at + least) wrong(what);
  endfunction

  function automatic bit [15:0] kept(input bit [23:0] at);
    kept = store.exists(at) != 0 ? store[at] : at[15:0] ^ {at[23:16], 8'hA5};
  endfunction

  function automatic void refreshed_enough();
    if ((now - counted_from) / RefreshPs > refreshes + MostOwed) wrong("refreshed too late");
  endfunction

  task automatic access(input bit write);
    bit [23:0] at;
    at = {row[ba], ba, a[8:0]};
    if (!mode_known) wrong("a column before start-up");
    if (!open[ba]) wrong("a column of a closed bank");
    since(activated[ba], RcdPs, "tRCD");
    if (now - activated[ba] > RasMostPs) wrong("tRAS, at most");
    if (a[10]) wrong("auto-precharge");
    if (a[0] || a[12:9] != 0) wrong("no such column");
    if (dqm != 0) wrong("masked");
    if (second) wrong("a write is cut off");
    for (int b = 0; b < 4; b++) since(column[b], 2 * ClockPs, "a burst is cut off");
    refreshed_enough();
    column[ba] = now;
    if (write) begin
      since(read_ends, 2 * ClockPs, "a write drives against a read");
      store[at] = dq;
      written[ba] = now + ClockPs;
      second = 1;
      second_at = at | 24'd1;
    end else begin
      words[latency-2] = kept(at);
      words[latency-1] = kept(at | 24'd1);
      valid[latency-2] = 1;
      valid[latency-1] = 1;
      read_ends = now + (ps_t'(latency) + 1) * ClockPs;
    end
  endtask

  task automatic precharge(input bit [1:0] bank);
    since(activated[bank], RasPs, "tRAS");
    since(written[bank], WrPs, "tWR");
    since(column[bank], 2 * ClockPs, "a burst is cut off");
    open[bank] = 0;
    precharged[bank] = now;
  endtask

  function automatic void idle(input string what);
    for (int b = 0; b < 4; b++) begin
      if (open[b]) wrong({what, " while a row is open"});
      since(precharged[b], RpPs, "tRP");
    end
    since(refreshed, RfcPs, "tRFC");
    since(mode_set, MrdPs, "tMRD");
    if (!all_precharged) wrong({what, " before a precharge of all banks"});
  endfunction

  always @(posedge clk) begin
    now += ClockPs;
    drive_next();
    if (second) begin
      store[second_at] = dq;
      if (dqm != 0) wrong("masked");
    end
    if (!cke || csn) wrong("not selected");
    if ({rasn, casn, wen} != 3'b111) begin
      if (now - began < StartPs) wrong("a command before the chip is up");
      since(refreshed, RfcPs, "tRFC");
      since(mode_set, MrdPs, "tMRD");
    end
    case ({rasn, casn, wen})
      3'b111: ;
      3'b011: begin
        if (!mode_known) wrong("activated before start-up");
        if (open[ba]) wrong("activated twice");
        since(precharged[ba], RpPs, "tRP");
        since(activated[ba], RcPs, "tRC");
        since(any_activated, RrdPs, "tRRD");
        open[ba] = 1;
        row[ba] = a;
        activated[ba] = now;
        any_activated = now;
      end
      3'b101: access(0);
      3'b100: access(1);
      3'b010: begin
        if (second && (a[10] || ba == second_at[10:9])) wrong("a write is cut off");
        if (a[10]) begin
          for (int b = 0; b < 4; b++) if (open[b] || !all_precharged) precharge(2'(b));
          all_precharged = 1;
        end else precharge(ba);
      end
      3'b001: begin
        idle("refreshed");
        refreshed = now;
        refreshes++;
        first_refreshes++;
      end
      3'b000: begin
        idle("mode set");
        if (ps_t'(first_refreshes) < FirstRefreshes) wrong("too few refreshes before the mode is set");
        if (a[12:7] != 0 || ba != 0 || a[3:0] != 4'd1 || !(a[6:4] inside {3'd2, 3'd3})) wrong("no such mode");
        latency = 32'(a[6:4]);
        if (latency == 2 && ClockPs < 10_000) wrong("latency 2 above 100 MHz");
        mode_known = 1;
        mode_set = now;
        counted_from = now;
        refreshes = 0;
        store.delete();
      end
      default: wrong("no such command");
    endcase
    if (second && !({rasn, casn, wen} == 3'b100)) second = 0;
  end

  // Inputs change half a cycle before an edge of the clock, not at it.
  longint unsigned changed_at, edge_at;
  always @(rasn or casn or wen or ba or a or dqm) changed_at = $time;
  always @(posedge clk) edge_at = $time;
  always @(negedge clk) begin
    if (changed_at >= edge_at && changed_at < $time) wrong("inputs that change at the clock's edge");
  end

  // The word that leaves after this edge.
  function automatic void drive_next();
    next_word = words[0];
    next_valid = valid[0];
    for (int i = 0; i < 5; i++) words[i] = words[i+1];
    valid = valid >> 1;
  endfunction
  always @(negedge clk) begin
    out <= next_word;
    drive <= next_valid;
  end
endmodule
