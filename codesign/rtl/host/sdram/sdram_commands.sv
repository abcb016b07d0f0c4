// SPDX-License-Identifier: Apache-2.0
// Function:   accesses, in order -> commands of a 16-bit SDRAM of 4 banks, 8192 rows and 512 columns: start-up,
//             refresh, rows that stay open, and 2 words (32 bits, the low half first) for each column command
// Latency:    from valid_i to the first column command 4 or 5 cycles if its row is open, 2 more if no row of its bank
//             is, 6 more if another one is (4 at 80 MHz)
// Throughput: a beat of 32 bits in 2 cycles; 4 cycles are lost when a write follows a read, none when a read follows a
//             write, and none between accesses whose rows are open
// Timing:     registered at the chip; ready_o and write_ready_o come from registers only
// Reset:      start-up: StartNs without a command, then 8 refreshes; what the chip holds is lost
// Model:      rtl_tests.bench_sdram.Memory
// A slot is 2 cycles: one with a column command, one with a row command (activate, precharge, refresh). So neither ever
// waits for the other, and all times are counted in slots. The row of the next access is opened during this one, unless
// both want the same bank. Checked below: with these slots the times from column command to precharge and from activate
// to precharge need no counters. A refresh closes all rows at once, in the middle of an access if need be, and is never
// put off, whatever waits for data.
module sdram_commands #(
    parameter int unsigned ClockMhz = 100,      // rounded up
    parameter int unsigned CasLatency = 2,
    parameter int unsigned StartNs = 200_000,
    parameter int unsigned RefreshNs = 7_700,   // 8192 in 64 ms are 7812
    parameter int unsigned RcdNs = 21,          // the slowest of AS4C16M16SA-7, MT48LC16M16A2-75, IS42S16160G-7
    parameter int unsigned RpNs = 21,
    parameter int unsigned RasNs = 44,
    parameter int unsigned RcNs = 66,
    parameter int unsigned RfcNs = 66,
    parameter int unsigned RrdNs = 15,
    parameter int unsigned WrNs = 15
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        valid_i,
    output logic        ready_o,
    input  logic        write_i,
    input  logic        last_i,
    input  logic [ 1:0] bank_i,
    input  logic [12:0] row_i,
    input  logic [ 7:0] beat_i,
    input  logic [ 7:0] more_i,
    input  logic        write_valid_i,
    output logic        write_ready_o,
    input  logic [31:0] write_data_i,
    output logic        written_o,       // the last beat of a write
    input  logic        read_room_i,     // for one beat more than those that were asked for
    output logic        read_o,          // with its command
    output logic        read_last_o,
    output logic        ras_o,           // high: commands are, as 0 is what flip-flops begin with
    output logic        cas_o,
    output logic        we_o,
    output logic [ 1:0] ba_o,
    output logic [12:0] a_o,
    output logic        dqm_o,
    output logic [15:0] dq_o,
    output logic        dq_oe_o
);
  function automatic int unsigned clocks(input int unsigned ns);
    clocks = (ns * ClockMhz + 999) / 1000;
  endfunction
  function automatic int unsigned slots(input int unsigned cycles);  // between two commands of a kind
    slots = cycles > 2 ? (cycles + 1) / 2 : 1;
  endfunction

  localparam int unsigned Rcd = slots(clocks(RcdNs) + 1) > 2 ? slots(clocks(RcdNs) + 1) : 2;
  localparam int unsigned Rp = slots(clocks(RpNs)), Rfc = slots(clocks(RfcNs));
  localparam int unsigned Rc = clocks(RcNs), Rrd = clocks(RrdNs), Wr = clocks(WrNs);  // in cycles
  localparam int unsigned Ras = slots(clocks(RasNs)) > 2 ? slots(clocks(RasNs)) : 2;
  localparam int unsigned Turn = slots(CasLatency + 3);  // the chip lets go before anything else drives
  localparam int unsigned Interval = RefreshNs * ClockMhz / 1000;
  localparam int unsigned StartTicks = (StartNs + RefreshNs - 1) / RefreshNs;
  localparam int unsigned Longest = Rfc > Ras ? Rfc : Ras;
  localparam int unsigned WaitWidth = $clog2(Longest), IntervalWidth = $clog2(Interval);
  localparam int unsigned TickWidth = $clog2(StartTicks + 1) > 3 ? $clog2(StartTicks + 1) : 3;
  if (CasLatency < 2 || CasLatency > 3 || (CasLatency == 2 && ClockMhz > 100) || ClockMhz > 133) begin : g_bad_latency
    $error("sdram_commands: CasLatency must be 2 up to 100 MHz, or 3 up to 133 MHz");
  end
  if (Wr > 2 || Ras > Rcd + 1 || Rc > 2 * (Ras + Rp) || Rrd > 2 * (Rcd - 1) || StartNs < 1 ||
      Interval < 4 * (Longest + Rp + Ras)) begin : g_bad_times
    $error("sdram_commands: times that the slots do not keep at this clock");
  end

  typedef enum logic [2:0] {
    Start,
    PrechargeAll,
    Refresh,
    Mode,
    Run
  } state_t;
  localparam logic [2:0] Nop = 3'b000, Activate = 3'b100, Precharge = 3'b101, Refreshing = 3'b110, SetMode = 3'b111;
  localparam logic [12:0] ModeWord = {6'd0, 3'(CasLatency), 1'b0, 3'd1};  // bursts of 2, one after the other

  logic phase_q;  // 0: ends with a column command, 1: with a row command
  always_ff @(posedge clk_i) phase_q <= rst_ni && !phase_q;

  // When to refresh, and the time to wait at the start.
  logic [IntervalWidth-1:0] interval_q;
  logic [TickWidth-1:0] ticks_q;
  logic tick_q, started, refreshes;
  always_ff @(posedge clk_i) begin
    tick_q <= interval_q == '0;
    if (!rst_ni || interval_q == '0) interval_q <= IntervalWidth'(Interval - 1);
    else interval_q <= interval_q - 1'b1;
    if (!rst_ni || started) ticks_q <= '0;
    else ticks_q <= ticks_q + TickWidth'(tick_q) - TickWidth'(refreshes);
  end

  // The access that reads or writes.
  logic busy_q, warm_q, warming_q, go_q, write_q, last_q, one_q, finishing;
  logic [1:0] bank_q;
  logic [12:0] row_q;
  logic [7:0] beat_q, more_q;
  logic [1:0] turn_q;

  // Rows: one decision per slot, taken in the first cycle and carried out in the second one.
  state_t state_q;
  logic ready_q, cold, close, open_next, open_again, act_next_q, act_q, known_q, match_q;
  logic [2:0] count_q, command_q;
  logic [WaitWidth-1:0] wait_q;
  logic [3:0] open_q;
  logic [3:0][12:0] rows_q;
  logic [1:0] command_bank_q;
  logic [12:0] command_a_q;
  logic decide, run, due;

  assign decide = !phase_q && wait_q == '0;
  assign run = state_q == Run;
  assign due = ticks_q != '0;
  assign cold = busy_q && !warm_q && !warming_q;
  assign open_again = run && !due && cold;
  assign open_next = run && !due && !cold && known_q && !match_q && !open_q[bank_i];
  assign close = run && !due && !cold && known_q && !match_q && open_q[bank_i] && !(busy_q && bank_q == bank_i);
  assign started = decide && state_q == Start && ticks_q == TickWidth'(StartTicks);
  assign refreshes = decide && state_q == Refresh && ready_q;
  assign ready_o = decide && run && known_q && match_q && (!busy_q || finishing);

  always_ff @(posedge clk_i) begin
    if (!phase_q) begin
      command_q <= Nop;
      command_bank_q <= open_again ? bank_q : bank_i;
      command_a_q <= open_again ? row_q : row_i;
      act_q <= decide && (open_again || open_next);
      act_next_q <= decide && open_next;
      if (wait_q != '0) wait_q <= wait_q - 1'b1;
    end
    if (decide) begin
      if (open_again) warming_q <= 1'b1;
      else if (warming_q) {warm_q, warming_q} <= 2'b10;
      case (state_q)
        Start: if (started) state_q <= PrechargeAll;
        PrechargeAll: begin
          command_q <= Precharge;
          command_a_q[10] <= 1'b1;
          wait_q <= WaitWidth'(Rp - 1);
          state_q <= Refresh;
        end
        Refresh: begin
          command_q <= Refreshing;
          wait_q <= WaitWidth'(Rfc - 1);
          count_q <= count_q + 1'b1;
          if (ready_q) state_q <= Run;
          else if (&count_q) state_q <= Mode;
        end
        Mode: begin
          command_q <= SetMode;
          command_bank_q <= '0;
          command_a_q <= ModeWord;
          wait_q <= WaitWidth'(1);
          ready_q <= 1'b1;
          state_q <= Run;
        end
        default: begin
          if (due) begin
            wait_q  <= WaitWidth'(Ras - 2);
            state_q <= PrechargeAll;
          end else if (open_again || open_next) begin
            command_q <= Activate;
            wait_q <= WaitWidth'(Rcd - 2);
          end else if (close) begin
            command_q <= Precharge;
            command_a_q[10] <= 1'b0;
            wait_q <= WaitWidth'(Rp - 1);
          end
        end
      endcase
    end
    if (phase_q && command_q == Precharge && command_a_q[10]) {warm_q, warming_q} <= '0;
    if (ready_o) warm_q <= 1'b1;
    if (!rst_ni) begin
      state_q <= Start;
      {ready_q, warm_q, warming_q, act_q, act_next_q} <= '0;
      count_q <= '0;
      wait_q <= '0;
      command_q <= Nop;
    end
  end

  always_ff @(posedge clk_i) begin
    known_q <= rst_ni && valid_i;
    match_q <= (phase_q && act_next_q) || (open_q[bank_i] && rows_q[bank_i] == row_i);
    if (phase_q && act_q) rows_q[command_bank_q] <= command_a_q;
    if (!rst_ni) open_q <= '0;
    else if (phase_q) begin
      if (act_q) open_q[command_bank_q] <= 1'b1;
      else if (command_q == Precharge) begin
        if (command_a_q[10]) open_q <= '0;
        else open_q[command_bank_q] <= 1'b0;
      end
    end
  end

  // Columns: decided in the second cycle of a slot, carried out in the first one of the next.
  assign finishing = go_q && one_q;
  assign write_ready_o = !phase_q && go_q && write_q;

  always_ff @(posedge clk_i) begin
    if (phase_q) go_q <= busy_q && warm_q && run && (write_q ? write_valid_i && turn_q == '0 : read_room_i);
    if (!phase_q) begin
      if (go_q && !write_q) turn_q <= 2'(Turn - 1);
      else if (turn_q != '0) turn_q <= turn_q - 1'b1;
      if (go_q) begin
        beat_q <= beat_q + 1'b1;
        more_q <= more_q - 1'b1;
        one_q  <= more_q == 8'd1;
      end
    end
    if (ready_o) begin
      {write_q, last_q, bank_q, row_q, beat_q, more_q} <= {write_i, last_i, bank_i, row_i, beat_i, more_i};
      one_q <= more_i == '0;
    end
    if (!rst_ni) {go_q, busy_q, turn_q} <= '0;
    else if (ready_o) busy_q <= 1'b1;
    else if (!phase_q && finishing) busy_q <= 1'b0;
  end

  // The chip.
  logic [15:0] high_q;
  always_ff @(posedge clk_i) begin
    {written_o, read_o} <= '0;
    read_last_o <= one_q && last_q;
    dqm_o <= !ready_q;
    if (phase_q) begin
      {ras_o, cas_o, we_o} <= command_q;
      ba_o <= command_bank_q;
      a_o  <= command_a_q;
      dq_o <= high_q;
    end else begin
      {ras_o, cas_o, we_o} <= go_q ? {2'b01, write_q} : Nop;
      ba_o <= bank_q;
      a_o <= {4'd0, beat_q, 1'b0};
      {high_q, dq_o} <= write_data_i;
      dq_oe_o <= go_q && write_q;
      read_o <= go_q && !write_q;
      written_o <= finishing && write_q && last_q;
    end
    if (!rst_ni) begin
      {ras_o, cas_o, we_o} <= Nop;
      {dq_oe_o, read_o, written_o} <= '0;
    end
  end
endmodule
