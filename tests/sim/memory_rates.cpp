// SPDX-License-Identifier: Apache-2.0
// Cycles per access of memory.h, which answers accesses that all wait from the start. Arguments: the numbers of a Timing;
// from the standard input: beats of an access, 0 reads, 1 writes, 2 in turns, and whether places ascend or are random.
#include "memory.h"

#include <cstddef>
#include <cstdio>
#include <iostream>
#include <random>

struct Master {
    uint32_t m_axi_araddr = 0, m_axi_awaddr = 0, m_axi_rdata = 0, m_axi_wdata = 0;
    uint8_t m_axi_arlen = 0, m_axi_arsize = 2, m_axi_arburst = 1, m_axi_arvalid = 0, m_axi_arready = 0;
    uint8_t m_axi_awlen = 0, m_axi_awsize = 2, m_axi_awburst = 1, m_axi_awvalid = 0, m_axi_awready = 0;
    uint8_t m_axi_rresp = 0, m_axi_rlast = 0, m_axi_rvalid = 0, m_axi_rready = 1;
    uint8_t m_axi_wlast = 0, m_axi_wvalid = 0, m_axi_wready = 0;
    uint8_t m_axi_bresp = 0, m_axi_bvalid = 0, m_axi_bready = 1;
};

static double rate(const memory::Timing& timing, uint32_t beats, int kind, bool ascending) {
    constexpr uint32_t kBytes = 1u << 25, kCount = 2000;
    memory::Axi<4> memory(kBytes, 1);
    memory.time(timing);
    std::mt19937 random(1);
    std::deque<uint32_t> reads, writes;
    std::deque<bool> lasts;
    uint32_t at = 0;
    for (uint32_t i = 0; i < kCount; i++) {
        at = (ascending ? at + 4 * beats * (1 + random() % 6) : random() & ~3u) % kBytes;
        if (at % 4096 + 4 * beats > 4096) at -= at % 4096 + 4 * beats - 4096;
        const bool write = kind == 1 || (kind == 2 && i % 2);
        (write ? writes : reads).push_back(at);
        for (uint32_t beat = 0; write && beat < beats; beat++) lasts.push_back(beat == beats - 1);
    }
    const size_t data = reads.size() * beats, answers = writes.size();
    size_t got = 0, answered = 0, cycles = 0;
    for (Master top; got < data || answered < answers; cycles++) {
        memory.drive(top);
        top.m_axi_arlen = top.m_axi_awlen = uint8_t(beats - 1);
        if ((top.m_axi_arvalid = !reads.empty())) top.m_axi_araddr = reads.front();
        if ((top.m_axi_awvalid = !writes.empty())) top.m_axi_awaddr = writes.front();
        top.m_axi_wvalid = !lasts.empty();
        top.m_axi_wlast = !lasts.empty() && lasts.front();
        got += top.m_axi_rvalid;
        answered += top.m_axi_bvalid;
        const bool read = top.m_axi_arvalid && top.m_axi_arready, write = top.m_axi_awvalid && top.m_axi_awready;
        const bool beat = top.m_axi_wvalid && top.m_axi_wready;
        memory.sample(top);
        if (read) reads.pop_front();
        if (write) writes.pop_front();
        if (beat) lasts.pop_front();
    }
    if (memory.wrong()) std::printf("%s\n", memory.wrong());
    return double(cycles) / kCount;
}

int main(int argc, char** argv) {
    memory::Timing timing{};
    const size_t words = offsetof(memory::Timing, fault) / sizeof(uint32_t) + 1;  // before the seed
    if (size_t(argc) != words + 2) return 1;
    for (size_t i = 0; i < words; i++) reinterpret_cast<uint32_t*>(&timing)[i] = uint32_t(std::atoll(argv[i + 1]));
    timing.seed = uint64_t(std::atoll(argv[words + 1]));
    uint32_t beats;
    int kind, ascending;
    while (std::cin >> beats >> kind >> ascending) std::printf("%.2f\n", rate(timing, beats, kind, ascending != 0));
}
