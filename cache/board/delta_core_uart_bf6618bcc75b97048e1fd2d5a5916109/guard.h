// SPDX-License-Identifier: Apache-2.0
// What every harness needs to hold a Verilated model in a process that goes on when the model fails: an exception and a
// message in place of the end of the process, and memory files that are found. Include it in one file of a library.
#pragma once

#include <unistd.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "verilated.h"

namespace guard {

inline thread_local std::string message;  // of the last failure

template <class Call> int call(int failed, Call function) {
    try {
        return function();
    } catch (const std::exception& error) {
        message = error.what();
        return failed;
    }
}

// Returns what `make` does, or null. $readmemh reads relative to the working directory.
template <class Make> void* open(const char* folder, Make make) {
    char before[4096];
    if (!getcwd(before, sizeof before) || chdir(folder) != 0) {
        message = std::string("cannot enter ") + folder;
        return nullptr;
    }
    void* model = nullptr;
    call(0, [&] { return model = make(), 0; });
    if (chdir(before) != 0) message = std::string("cannot return to ") + before;
    return model;
}

[[noreturn]] inline void raise(const char* what, const char* file, int line) {
    throw std::runtime_error(std::string(what) + " at " + (file ? file : "?") + ":" + std::to_string(line));
}

}  // namespace guard

// Replacements of Verilator's handlers, which would end the process.
void vl_stop(const char* file, int line, const char*) { guard::raise("assertion, $error or $stop", file, line); }
void vl_finish(const char* file, int line, const char*) { guard::raise("$finish", file, line); }
void vl_fatal(const char* file, int line, const char*, const char* text) { guard::raise(text, file, line); }
