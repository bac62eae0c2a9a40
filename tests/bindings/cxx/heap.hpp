// What the tests of bitfit.hpp share: a pool that says so if anything was left.
#ifndef HEAP_HPP
#define HEAP_HPP

#include <doctest/doctest.h>

#include "bitfit.hpp"

// Misuse aborts, by the pool's own handler, and so fails the test.
template <std::size_t Size> struct heap : bitfit::fixed_pool<Size> {
    ~heap()
    {
        CHECK(this->stats().blocks == 0);
        CHECK(this->check() == 0);
    }
};

#endif
