// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated board top through its serial line, rx_i and tx_o: 8N1, exactly CYCLES_PER_BIT clock cycles a bit.
// Bytes go in and come out; nothing else of the design is looked at. One clock cycle is: drive rx_i, rising edge, sample
// tx_o. Model: codesign/sim/uart.py mirrors Step, Code and the exported functions.

#include <cstdint>
#include <memory>

#include "Vtop.h"
#include "guard.h"

extern "C" {

struct Step {
    const uint8_t* in;
    uint64_t in_count;
    uint8_t* out;
    uint64_t capacity;
    uint64_t budget;                     // most cycles
    uint64_t in_done, out_done, cycles;  // results
};

}  // extern "C"

namespace {

enum Code { kDone, kDesign, kStop };

constexpr int kBits = 10;                                // start, eight of data, stop
constexpr uint64_t kPause = 2 * kBits * CYCLES_PER_BIT;  // a silence this long ends what the board says for now

class Board {
public:
    explicit Board(uint32_t seed) {
        context_.randReset(2);
        context_.randSeed(int(seed % 0x7fffffff) + 1);
        top_ = std::make_unique<Vtop>(&context_, "top");
        reset();
    }

    void reset() {
        top_->rst_ni = 0;
        top_->rx_i = 1;
        // The core's reset is a register: assertions inside it mean nothing before that register is reset itself.
        context_.assertOn(false);
        for (int i = 0; i < 4; i++) tick();
        context_.assertOn(true);
        top_->rst_ni = 1;
        send_left_ = receive_left_ = 0;
        for (uint64_t i = 0; i < kPause; i++) tick();
    }

    // Returns when the budget is used up, or as soon as everything is in and the board, having answered, is silent.
    int advance(Step& step) {
        uint64_t silence = 0;
        for (step.cycles = 0; step.cycles < step.budget; step.cycles++) {
            const bool idle = drive(step);
            tick();
            if (int code = sample(step)) return code;
            silence = idle && receive_left_ == 0 ? silence + 1 : 0;
            if (step.out_done == step.capacity || (step.out_done > 0 && silence > kPause)) break;
        }
        return kDone;
    }

private:
    void tick() {
        top_->clk_i = 1;
        top_->eval();
        top_->clk_i = 0;
        top_->eval();
    }

    bool drive(Step& step) {  // returns whether nothing is under way or waits
        if (send_left_ == 0) {
            if (step.in_done == step.in_count) return true;
            send_ = 1u << (kBits - 1) | unsigned(step.in[step.in_done++]) << 1;
            send_left_ = kBits * CYCLES_PER_BIT;
        }
        top_->rx_i = send_ >> (kBits - (send_left_ + CYCLES_PER_BIT - 1) / CYCLES_PER_BIT) & 1;
        send_left_--;
        return false;
    }

    int sample(Step& step) {
        if (receive_left_ == 0) {
            if (top_->tx_o) return 0;
            receive_left_ = kBits * CYCLES_PER_BIT - CYCLES_PER_BIT / 2;  // to the middle of the stop bit
        }
        if (--receive_left_ % CYCLES_PER_BIT != 0) return 0;
        if (receive_left_ > 0) {
            received_ = received_ >> 1 | unsigned(top_->tx_o) << 7;  // the start bit falls out again
            return 0;
        }
        if (!top_->tx_o) return kStop;
        step.out[step.out_done++] = uint8_t(received_);
        return 0;
    }

    VerilatedContext context_;
    std::unique_ptr<Vtop> top_;
    unsigned send_ = 0, received_ = 0;
    int send_left_ = 0, receive_left_ = 0;  // cycles
};

}  // namespace

extern "C" {

uint64_t uart_step_bytes() { return sizeof(Step); }
const char* uart_message() { return guard::message.c_str(); }
void* uart_open(const char* folder, uint32_t seed) {
    return guard::open(folder, [&] { return new Board(seed); });
}
void uart_close(void* board) { delete static_cast<Board*>(board); }
int uart_reset(void* board) {
    return guard::call(kDesign, [&] { return static_cast<Board*>(board)->reset(), 0; });
}
int uart_advance(void* board, Step* step) {
    return guard::call(kDesign, [&] { return static_cast<Board*>(board)->advance(*step); });
}

}  // extern "C"
