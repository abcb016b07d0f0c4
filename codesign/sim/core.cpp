// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated delta core through its ports: the load of an image, AXI4-Stream source and sink, an external memory,
// protocol checks, and the cycles of each step and frame. Knows the core only by IN_BYTES and OUT_BYTES (of a beat),
// MEMORY_BYTES (of a beat of its external memory, or 0) and MEMORY_KIB; the network is a job's.
// One clock cycle is: drive inputs, settle, sample, rising edge.
// Model: codesign/sim/core_native.py mirrors Job, Code and the exported functions.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "guard.h"
#if MEMORY_BYTES
#include "memory.h"
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "port bytes are copied in little-endian order");

namespace {

enum Code {
    kDone, kAgain, kHung, kTooLong, kValidDropped, kPayloadChanged, kLast, kSpurious, kSteps, kErrorBit, kDesign, kMemory,
    kLost
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
    static_assert(sizeof(Port) >= count, "a port is narrower than the configuration says");
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
    // The network: beats of a frame, beats of a packet, steps, engines.
    uint64_t frame_beats, packet_beats, steps, engines;
    // Packets to wait for and check; 0: check nothing about framing and stop after `patience` cycles of silence.
    uint64_t frames;
    uint64_t *first_in, *last_in, *out_at;  // [frames] cycles: first and last accepted beat, accepted TLAST
    uint32_t *sent, *added;                 // [frames][steps][2] cycles, events; [frames][engines][2] operations, waits
    uint64_t* traffic;                      // [frames][3] read and written bytes, busy cycles of the memory, all since reset
    uint32_t source_stall, sink_stall;      // probability of a stall in 1 / 2^32
    uint64_t source_seed, sink_seed;
    uint64_t patience, max_cycles;
    // Results, and where to go on after kAgain.
    uint64_t in_done, out_done, out_frames, out_beat, cycles, idle, tail, core_frames;
};

}  // extern "C"

namespace {

class Simulator {
public:
    explicit Simulator(uint32_t seed) : noise_{seed * 2654435761ULL + 1} {
        context_.randReset(2);
        context_.randSeed(int(seed % 0x7fffffff) + 1);
        top_ = std::make_unique<Vtop>(&context_, "top");
        top_->skip_i = 1;
        top_->restart_i = top_->load_forget_i = 0;
        reset();
    }

    void reset() {
        top_->rst_ni = 0;
        idle_source();
        top_->load_valid_i = 0;
        top_->m_axis_tready = 0;
        for (int i = 0; i < 4; i++) tick();
#if MEMORY_BYTES
        memory_.reset();
#endif
        top_->rst_ni = 1;
        offered_ = stalled_ = false;
    }

    // Timing of the memory from now on.
    void memory(const void* timing) {
#if MEMORY_BYTES
        memory_.time(*static_cast<const memory::Timing*>(timing));
#else
        (void)timing;
#endif
    }

    // Offer `count` words; return how many were taken before `patience` cycles without one.
    uint64_t load(const uint32_t* words, uint64_t count, uint64_t patience) {
        idle_source();
        top_->m_axis_tready = 1;
        uint64_t done = 0;
        for (uint64_t waited = 0; done < count && waited < patience; waited++) {
            top_->load_valid_i = 1;
            top_->load_data_i = words[done];
            top_->load_last_i = done == count - 1;
            settle();
            if (top_->load_ready_o) done++, waited = 0;
            edge();
        }
        top_->load_valid_i = 0;
        top_->load_data_i = noise_.next();
        for (int i = 0; i < 4; i++) tick();
        return done;
    }

    void skip(bool skip) { top_->skip_i = skip; }
    uint32_t status() const { return uint32_t(top_->error_o) | uint32_t(top_->load_error_o) << 8 | uint32_t(top_->loaded_o) << 16; }

    void begin(const Job& job) {
        source_.state = job.source_seed | 1;
        sink_.state = job.sink_seed | 1;
        error_before_ = top_->error_o;
        loaded_ = top_->loaded_o;
        offered_ = false;  // a beat of the last job that was not taken, as there was no network
    }

    int advance(Job& job, uint64_t budget) {
        for (; budget > 0; budget--) {
            if (job.frames == 0 ? job.idle >= job.patience : job.tail > kTail) return finish(job);
            if (job.idle >= job.patience) return kHung;
            if (loaded_ && !top_->loaded_o) return kLost;
            if (job.cycles >= job.max_cycles) return kTooLong;
            drive(job);
            settle();
            if (int code = sample(job)) return code;
            if (int code = edge()) return code;
            job.cycles++;
        }
        return kAgain;
    }

private:
    void settle() {
#if MEMORY_BYTES
        memory_.drive(*top_);
#endif
        top_->eval();
    }

    int edge() {
#if MEMORY_BYTES
        if (top_->rst_ni) memory_.sample(*top_);
#endif
        top_->clk_i = 1;
        top_->eval();
        top_->clk_i = 0;
#if MEMORY_BYTES
        if (memory_.wrong()) return guard::message = memory_.wrong(), kMemory;
#endif
        return 0;
    }

    void tick() {
        settle();
        edge();
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
            const uint64_t frame = job.in_done / job.frame_beats, beat = job.in_done % job.frame_beats;
            if (beat == 0) job.first_in[frame] = job.cycles;
            if (beat == job.frame_beats - 1) job.last_in[frame] = job.cycles;
        }
        job.in_done++;
        job.idle = 0;
        offered_ = false;
    }

    // probe_o: bit 0 an operation begins, 1 one waits, 2 a frame is done, 3 a frame is inside, 15..8 the step, 23..16 the
    // engine of the operation, 31..24 events that begin
    void attribute(Job& job) {
        const uint32_t probe = top_->probe_o;
        const uint64_t step = (probe >> 8) & 255, engine = (probe >> 16) & 255;
        if (probe & 1) job.idle = 0;
        if (job.core_frames < job.frames && step < job.steps) {
            uint32_t* sent = job.sent + (job.core_frames * job.steps + step) * 2;
            sent[0] += (probe >> 3) & 1;
            sent[1] += probe >> 24;
        }
        if (job.core_frames < job.frames && engine < job.engines) {
            uint32_t* added = job.added + (job.core_frames * job.engines + engine) * 2;
            added[0] += probe & 1;
            added[1] += (probe >> 1) & 1;
        }
        if (!((probe >> 2) & 1)) return;
#if MEMORY_BYTES
        if (job.core_frames < job.frames) {
            const memory::Traffic& traffic = memory_.traffic();
            uint64_t* found = job.traffic + job.core_frames * 3;
            found[0] = traffic.read_bytes, found[1] = traffic.written_bytes, found[2] = traffic.busy;
        }
#endif
        job.core_frames++;
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
            if (job.out_frames == job.frames || job.in_done < (job.out_frames + 1) * job.frame_beats) return kSpurious;
            if (last != (job.out_beat == job.packet_beats - 1)) return kLast;
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

    int finish(const Job& job) {
        if (job.frames != 0 && job.core_frames != job.frames) return kSteps;
        return job.frames != 0 && top_->error_o != error_before_ ? kErrorBit : kDone;
    }

    VerilatedContext context_;
    std::unique_ptr<Vtop> top_;
#if MEMORY_BYTES
    memory::Axi<MEMORY_BYTES> memory_{uint64_t(MEMORY_KIB) * 1024, 1};
#endif
    Random noise_, source_{1}, sink_{1};
    bool offered_ = false, stalled_ = false, held_last_ = false, loaded_ = false;
    uint8_t held_[OUT_BYTES];
    unsigned error_before_ = 0;
};

Simulator* of(void* simulator) { return static_cast<Simulator*>(simulator); }

}  // namespace

extern "C" {

uint64_t core_job_bytes() { return sizeof(Job); }
const char* core_message() { return guard::message.c_str(); }
void* core_open(const char* folder, uint32_t seed) {
    return guard::open(folder, [&] { return new Simulator(seed); });
}
void core_close(void* simulator) { delete of(simulator); }
uint32_t core_status(void* simulator) { return of(simulator)->status(); }
void core_skip(void* simulator, int skip) { of(simulator)->skip(skip); }
void core_memory(void* simulator, const void* timing) { of(simulator)->memory(timing); }
void core_begin(void* simulator, const Job* job) { of(simulator)->begin(*job); }

int core_advance(void* simulator, Job* job, uint64_t budget) {
    return guard::call(kDesign, [&] { return of(simulator)->advance(*job, budget); });
}

int core_load(void* simulator, const uint32_t* words, uint64_t count, uint64_t patience, uint64_t* done) {
    return guard::call(kDesign, [&] { return *done = of(simulator)->load(words, count, patience), 0; });
}

int core_reset(void* simulator) {
    return guard::call(kDesign, [&] { return of(simulator)->reset(), 0; });
}

}  // extern "C"
