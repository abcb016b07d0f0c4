// SPDX-License-Identifier: Apache-2.0
// An AXI4 memory on the m_axi_* ports of a Verilated top: what is stored, and when it answers. As unkind as AXI4 lets it
// be: a read is answered with what was stored when it was accepted, a write is stored in the cycle in which its response
// is offered, so whoever needs an order has to wait for responses. Include it in one file of a library.
// Model: codesign/sim/memory.py mirrors Timing and Traffic.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

namespace memory {

struct Timing {  // in cycles of the core, or in sixteenths of them
    uint32_t open, closed;      // to the first beat of a row that is open, or is not
    uint32_t row_bytes, banks;  // bytes of a row; rows that may be open
    uint32_t beat_sixteenths;   // of a beat
    uint32_t turn;              // between a read and the write after it
    uint32_t conflict, least;   // before another row of the same bank; from one access to the next, if a row is opened
    uint32_t refresh_every, refresh;  // 0: none
    uint32_t overlap;           // 1: an access is prepared while the one before it is served
    uint32_t duplex;            // 1: reads and writes are served side by side
    uint32_t stall, fault;      // probability of a stall of each channel, and of an error in a response, in 1 / 2^32
    uint64_t seed;
};

struct Traffic {
    uint64_t read_bytes, written_bytes, busy;  // busy: cycles in which it served somebody, of each way if duplex
};

constexpr uint64_t kUnit = 16;
constexpr size_t kOpen = 8;  // bursts of each direction that it takes before it answers

template <size_t bytes> class Axi {
public:
    explicit Axi(uint64_t size, uint64_t seed)
        : size_(size), store_(static_cast<uint8_t*>(std::calloc(size, 1)), &std::free) {
        if (!store_) throw std::runtime_error("no room for the memory of the core");
        random_ = seed | 1;
        // Nobody may look at what was never written.
        for (uint64_t at = 0; at < size && at < (64u << 20); at++) store_.get()[at] = uint8_t(next());
    }

    void time(const Timing& timing) {
        timing_ = timing;
        random_ = timing.seed | 1;
        rows_.assign(timing.banks ? timing.banks : 1, ~uint64_t(0));
        refresh_at_ = now_ + timing.refresh_every;
    }
    const Traffic& traffic() const { return traffic_; }
    const char* wrong() const { return wrong_; }

    void reset() {
        reads_.clear();
        writes_.clear();
        responses_.clear();
        read_offered_ = response_offered_ = false;
    }

    // Before the design settles.
    template <class Top> void drive(Top& top) {
        top.m_axi_arready = reads_.size() < kOpen && !stalls();
        top.m_axi_awready = writes_.size() < kOpen && !stalls();
        top.m_axi_wready = !writes_.empty() && !stalls();
        if (!read_offered_ && !reads_.empty() && reads_.front().due(now_) && !stalls()) read_offered_ = true;
        top.m_axi_rvalid = read_offered_;
        top.m_axi_rresp = response();
        uint8_t garbage[bytes];
        for (uint8_t& byte : garbage) byte = uint8_t(next());
        const uint8_t* data = read_offered_ ? reads_.front().data.data() + reads_.front().sent : garbage;
        std::memcpy(reinterpret_cast<uint8_t*>(&top.m_axi_rdata), data, bytes);
        top.m_axi_rlast = read_offered_ ? reads_.front().sent + bytes == reads_.front().data.size() : garbage[0] & 1;
        if (!response_offered_ && !responses_.empty() && responses_.front().at <= now_ * kUnit && !stalls()) {
            response_offered_ = true;
            const Write& write = responses_.front();
            std::memcpy(store_.get() + write.address, write.data.data(), write.data.size());
        }
        top.m_axi_bvalid = response_offered_;
        top.m_axi_bresp = response();
    }

    // When it has settled, before the rising edge.
    template <class Top> void sample(Top& top) {
        if (top.m_axi_rvalid && top.m_axi_rready) {
            traffic_.read_bytes += bytes;
            read_offered_ = false;
            reads_.front().sent += bytes;
            if (reads_.front().sent == reads_.front().data.size()) reads_.pop_front();
        }
        if (top.m_axi_bvalid && top.m_axi_bready) {
            response_offered_ = false;
            responses_.pop_front();
        }
        if (top.m_axi_wvalid && top.m_axi_wready) {
            Write& write = writes_.front();
            std::memcpy(write.data.data() + write.got, reinterpret_cast<const uint8_t*>(&top.m_axi_wdata), bytes);
            write.got += bytes;
            traffic_.written_bytes += bytes;
            const bool whole = write.got == write.data.size();
            if (bool(top.m_axi_wlast) != whole) wrong_ = "WLAST is not on the last beat of a burst";
            if (whole) {
                serve(write.address, write.data.size(), true);
                responses_.push_back({write.address, free_[way(true)], 0, std::move(write.data)});
                writes_.pop_front();
            }
        }
        if (top.m_axi_arvalid && top.m_axi_arready) {
            const uint64_t size = check(top.m_axi_araddr, top.m_axi_arlen, top.m_axi_arsize, top.m_axi_arburst);
            const uint64_t start = serve(top.m_axi_araddr, size, false);
            const uint8_t* from = store_.get() + top.m_axi_araddr % size_;
            reads_.push_back({start, timing_.beat_sixteenths, 0, std::vector<uint8_t>(from, from + size)});
        }
        if (top.m_axi_awvalid && top.m_axi_awready) {
            const uint64_t size = check(top.m_axi_awaddr, top.m_axi_awlen, top.m_axi_awsize, top.m_axi_awburst);
            writes_.push_back({top.m_axi_awaddr % size_, 0, 0, std::vector<uint8_t>(size)});
        }
        now_++;
    }

private:
    struct Read {
        uint64_t start, beat;
        size_t sent;
        std::vector<uint8_t> data;
        bool due(uint64_t now) const { return start + sent / bytes * beat <= now * kUnit; }
    };
    struct Write {
        uint64_t address, at;
        size_t got;
        std::vector<uint8_t> data;
    };

    bool stalls() { return timing_.stall != 0 && next() < timing_.stall; }
    uint8_t response() { return timing_.fault != 0 && next() < timing_.fault ? 2 : 0; }  // SLVERR
    uint32_t next() {  // xorshift64*
        random_ ^= random_ >> 12;
        random_ ^= random_ << 25;
        random_ ^= random_ >> 27;
        return uint32_t((random_ * 0x2545F4914F6CDD1DULL) >> 32);
    }

    uint64_t check(uint64_t address, uint64_t length, uint32_t size, uint32_t burst) {
        const uint64_t count = (length + 1) * bytes;
        if (burst != 1 || (1u << size) != bytes || address % bytes != 0) wrong_ = "a burst it does not take";
        if (address / 4096 != (address + count - 1) / 4096) wrong_ = "a burst crosses 4 KiB";
        if (address + count > size_) wrong_ = "a burst ends behind the memory";
        return address + count > size_ ? bytes : count;
    }

    size_t way(bool write) const { return timing_.duplex && write; }

    // Return when the first beat is there; from then on it is busy until free_, of its way.
    uint64_t serve(uint64_t address, uint64_t size, bool write) {
        if (timing_.refresh_every && now_ >= refresh_at_) {
            rows_.assign(rows_.size(), ~uint64_t(0));
            for (uint64_t& free : free_) free = std::max(free, now_ * kUnit) + timing_.refresh * kUnit;
            while (refresh_at_ <= now_) refresh_at_ += timing_.refresh_every;
        }
        const uint64_t row = timing_.row_bytes ? address / timing_.row_bytes : 0;
        const uint64_t bank = row % rows_.size(), before = rows_[bank];
        const uint64_t latency = (before == row ? timing_.open : timing_.closed) * kUnit, came = now_ * kUnit;
        uint64_t& free = free_[way(write)];
        uint64_t ready = free + (write && !write_before_ ? timing_.turn * kUnit : 0);
        if (before != row) ready = std::max(ready + (bank == bank_before_ ? timing_.conflict * kUnit : 0), least_);
        rows_[bank] = row;
        write_before_ = write;
        bank_before_ = bank;
        const uint64_t start = timing_.overlap ? std::max(came + latency, ready) : std::max(came, ready) + latency;
        const uint64_t began = timing_.overlap ? start : start - latency;
        free = start + size / bytes * timing_.beat_sixteenths;
        least_ = start + timing_.least * kUnit;
        traffic_.busy += (free - began) / kUnit;
        return start;
    }

    uint64_t size_, now_ = 0, free_[2] = {0, 0}, least_ = 0, refresh_at_ = 0, bank_before_ = 0, random_ = 1;
    std::unique_ptr<uint8_t, void (*)(void*)> store_;
    Timing timing_{30, 30, 0, 1, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    Traffic traffic_{};
    std::vector<uint64_t> rows_ = std::vector<uint64_t>(1, ~uint64_t(0));
    std::deque<Read> reads_;
    std::deque<Write> writes_, responses_;
    bool read_offered_ = false, response_offered_ = false, write_before_ = false;
    const char* wrong_ = nullptr;
};

}  // namespace memory
