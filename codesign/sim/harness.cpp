// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated top through its ports: AXI4-Stream source and sink, protocol checks, per-frame attribution of the
// engines' work. Knows the design only by the constants of TopSpec: IN_BYTES and OUT_BYTES (of a beat), BEATS and WORDS
// (of an input frame and an output packet), ENGINES and THRESHOLD_BYTES (0: no such port). One clock cycle is: drive inputs, settle, sample, rising edge.
// Model: codesign/sim/native.py mirrors Job, Code and the exported functions.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "guard.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "port bytes are copied in little-endian order");

namespace {

enum Code {
    kDone,
    kAgain,
    kHung,
    kTooLong,
    kValidDropped,
    kPayloadChanged,
    kLast,
    kSpurious,
    kEngine,
    kErrorBit,
    kDesign
};

constexpr uint64_t kTail = 32;  // cycles watched for stray output after the last packet

struct Random {  // xorshift64*
    uint64_t state;
    uint32_t next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return uint32_t((state * 0x2545F4914F6CDD1DULL) >> 32);
    }
};

template <size_t count, class Port> void put(Port& port, const uint8_t* bytes) {
    static_assert(sizeof(Port) >= count, "a port is narrower than TopSpec says");
    uint8_t* to = reinterpret_cast<uint8_t*>(&port);
    std::memcpy(to, bytes, count);
    std::memset(to + count, 0, sizeof(Port) - count);
}

template <class Port> const uint8_t* bytes_of(const Port& port) { return reinterpret_cast<const uint8_t*>(&port); }

}  // namespace

extern "C" {

struct Job {
    // Source: `beats` beats of IN_BYTES, with tlast and tuser. Sink: room for `capacity` beats of OUT_BYTES.
    const uint8_t *data, *last, *user;
    uint64_t beats;
    uint8_t *out_data, *out_last;
    uint64_t capacity;
    // Packets to wait for and check; 0: check nothing about framing and stop after `patience` cycles of silence.
    uint64_t frames;
    uint64_t *first_in, *last_in, *out_at;  // [frames] cycles: first and last accepted beat, accepted TLAST
    uint32_t* work;                         // [frames][ENGINES][3] events, busy, stalled
    uint32_t source_stall, sink_stall;      // probability of a stall in 1 / 2^32
    uint64_t source_seed, sink_seed;
    uint64_t patience, max_cycles;
    // Results, and where to go on after kAgain.
    uint64_t in_done, out_done, out_frames, out_beat, cycles, idle, tail;
    uint64_t engine_frames[ENGINES];
};

}  // extern "C"

namespace {

class Simulator {
public:
    explicit Simulator(uint32_t seed) : noise_{seed * 2654435761ULL + 1} {
        context_.randReset(2);
        context_.randSeed(int(seed % 0x7fffffff) + 1);
        top_ = std::make_unique<Vtop>(&context_, "top");
        reset();
    }

    void reset() {
        top_->rst_ni = 0;
        idle_source();
        top_->m_axis_tready = 0;
        top_->stat_addr_i = 0;
        for (int i = 0; i < 4; i++) tick();
        top_->rst_ni = 1;
        offered_ = stalled_ = false;
        std::memset(carry_, 0, sizeof carry_);
    }

    uint32_t statistic(uint8_t address) {
        idle_source();
        top_->m_axis_tready = 0;
        top_->stat_addr_i = address;
        for (int i = 0; i < 4; i++) tick();
        return top_->stat_data_o;
    }

    void thresholds([[maybe_unused]] const uint8_t* bytes) {
#if THRESHOLD_BYTES > 0
        put<THRESHOLD_BYTES>(top_->threshold_i, bytes);
#endif
    }

    void skip(bool skip) { top_->skip_i = skip; }

    int error_bits() const { return top_->error_o; }

    void begin(const Job& job) {
        source_.state = job.source_seed | 1;
        sink_.state = job.sink_seed | 1;
        error_before_ = top_->error_o;
    }

    int advance(Job& job, uint64_t budget) {
        for (; budget > 0; budget--) {
            if (job.frames == 0 ? job.idle >= job.patience : job.tail > kTail) return finish(job);
            if (job.idle >= job.patience) return kHung;
            if (job.cycles >= job.max_cycles) return kTooLong;
            drive(job);
            top_->eval();
            if (int code = sample(job)) return code;
            top_->clk_i = 1;
            top_->eval();
            top_->clk_i = 0;
            job.cycles++;
        }
        return kAgain;
    }

private:
    void tick() {
        top_->clk_i = 0;
        top_->eval();
        top_->clk_i = 1;
        top_->eval();
        top_->clk_i = 0;
    }

    void idle_source() {  // garbage while tvalid is low: nothing may look at it
        uint8_t garbage[IN_BYTES];
        for (uint8_t& byte : garbage) byte = uint8_t(noise_.next());
        put<IN_BYTES>(top_->s_axis_tdata, garbage);
        top_->s_axis_tvalid = 0;
        top_->s_axis_tlast = garbage[0] & 1;
        top_->s_axis_tuser = (garbage[0] >> 1) & 1;
    }

    void drive(Job& job) {
        const bool source_waits = source_.next() < job.source_stall;
        const bool sink_waits = sink_.next() < job.sink_stall;
        if (!offered_ && job.in_done < job.beats && !source_waits) {
            offered_ = true;
            put<IN_BYTES>(top_->s_axis_tdata, job.data + job.in_done * IN_BYTES);
            top_->s_axis_tvalid = 1;
            top_->s_axis_tlast = job.last[job.in_done];
            top_->s_axis_tuser = job.user[job.in_done];
        } else if (!offered_) {
            idle_source();
        }
        top_->m_axis_tready = !sink_waits;
        // The watchdog counts only cycles in which neither side is held back by the harness.
        if (!sink_waits && (offered_ || job.in_done == job.beats)) job.idle++;
        if (job.frames != 0 && job.out_frames == job.frames) job.tail++;
    }

    int sample(Job& job) {
        if (offered_ && top_->s_axis_tready) accept(job);
        attribute(job);
        if (int code = check_stable()) return code;
        if (top_->m_axis_tvalid && top_->m_axis_tready) return collect(job);
        return 0;
    }

    void accept(Job& job) {
        if (job.frames != 0) {
            const uint64_t frame = job.in_done / BEATS, beat = job.in_done % BEATS;
            if (beat == 0) job.first_in[frame] = job.cycles;
            if (beat == BEATS - 1) job.last_in[frame] = job.cycles;
        }
        job.in_done++;
        job.idle = 0;
        offered_ = false;
    }

    void attribute(Job& job) {
        const uint8_t* probe = bytes_of(top_->probe_o);
        for (int e = 0; e < ENGINES; e++) {
            const unsigned bits = (probe[e / 2] >> (4 * (e % 2))) & 15;
            if (bits == 0) continue;
            for (int k = 0; k < 3; k++) carry_[e][k] += (bits >> k) & 1;
            if (bits & 1) job.idle = 0;
            if (!(bits & 8)) continue;
            const uint64_t frame = job.engine_frames[e]++;
            if (frame < job.frames) std::memcpy(job.work + (frame * ENGINES + e) * 3, carry_[e], sizeof carry_[e]);
            std::memset(carry_[e], 0, sizeof carry_[e]);
        }
    }

    int check_stable() {
        const uint8_t* data = bytes_of(top_->m_axis_tdata);
        if (stalled_ && !top_->m_axis_tvalid) return kValidDropped;
        if (stalled_ && (std::memcmp(held_, data, OUT_BYTES) != 0 || held_last_ != top_->m_axis_tlast))
            return kPayloadChanged;
        stalled_ = top_->m_axis_tvalid && !top_->m_axis_tready;
        if (stalled_) {
            std::memcpy(held_, data, OUT_BYTES);
            held_last_ = top_->m_axis_tlast;
        }
        return 0;
    }

    int collect(Job& job) {
        const bool last = top_->m_axis_tlast;
        if (job.frames != 0) {
            // A packet may start once its frame has, and must not end before its frame has.
            if (job.out_frames == job.frames || job.in_done <= job.out_frames * BEATS) return kSpurious;
            if (last != (job.out_beat == WORDS - 1)) return kLast;
            if (last && job.in_done < (job.out_frames + 1) * BEATS) return kSpurious;
            if (last) job.out_at[job.out_frames] = job.cycles;
        }
        if (job.out_done == job.capacity) return kSpurious;
        std::memcpy(job.out_data + job.out_done * OUT_BYTES, bytes_of(top_->m_axis_tdata), OUT_BYTES);
        job.out_last[job.out_done++] = last;
        job.out_frames += last;
        job.out_beat = last ? 0 : job.out_beat + 1;
        job.idle = 0;
        return 0;
    }

    int finish(Job& job) {
        for (int e = 0; job.frames != 0 && e < ENGINES; e++) {
            if (job.engine_frames[e] != job.frames) return kEngine;
            // No frame follows in this run: what came after the last frame_done (emission, stalls) is the last frame's.
            for (int k = 0; k < 3; k++) job.work[((job.frames - 1) * ENGINES + e) * 3 + k] += carry_[e][k];
        }
        std::memset(carry_, 0, sizeof carry_);
        return job.frames != 0 && top_->error_o != error_before_ ? kErrorBit : kDone;
    }

    VerilatedContext context_;
    std::unique_ptr<Vtop> top_;
    Random noise_, source_{1}, sink_{1};
    bool offered_ = false, stalled_ = false, held_last_ = false;
    uint8_t held_[OUT_BYTES];
    uint32_t carry_[ENGINES][3] = {};  // work of each engine since its last frame_done
    unsigned error_before_ = 0;
};

}  // namespace

extern "C" {

uint64_t sim_job_bytes() { return sizeof(Job); }
const char* sim_message() { return guard::message.c_str(); }

void* sim_open(const char* folder, uint32_t seed) {
    return guard::open(folder, [&] { return new Simulator(seed); });
}

void sim_close(void* simulator) { delete static_cast<Simulator*>(simulator); }
int sim_error_bits(void* simulator) { return static_cast<Simulator*>(simulator)->error_bits(); }
void sim_thresholds(void* simulator, const uint8_t* bytes) { static_cast<Simulator*>(simulator)->thresholds(bytes); }
void sim_skip(void* simulator, int skip) { static_cast<Simulator*>(simulator)->skip(skip); }
void sim_begin(void* simulator, const Job* job) { static_cast<Simulator*>(simulator)->begin(*job); }

int sim_advance(void* simulator, Job* job, uint64_t budget) {
    return guard::call(kDesign, [&] { return static_cast<Simulator*>(simulator)->advance(*job, budget); });
}

int sim_reset(void* simulator) {
    return guard::call(kDesign, [&] { return static_cast<Simulator*>(simulator)->reset(), 0; });
}

int sim_statistic(void* simulator, uint8_t address, uint32_t* value) {
    return guard::call(kDesign, [&] { return *value = static_cast<Simulator*>(simulator)->statistic(address), 0; });
}

}  // extern "C"
