/*
 * usage: bitfit_processes [FOLDER [PAIRS]]
 * One file in FOLDER (/dev/shm), shared by one process and by two: a bitfit
 * pool beside Boost.Interprocess's managed_mapped_file, which is
 * rbtree_best_fit under an interprocess_mutex. Each process keeps 200 blocks of
 * 16 to 512 bytes, and frees one and allocates one, PAIRS times (500,000).
 * Prints the nanoseconds of a pair: the median of nine rounds, in turns.
 *
 * bitfit's pool is called in two ways: plainly, as Boost is, and into slots,
 * where no kill loses a block.
 */
#include <boost/interprocess/managed_mapped_file.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bitfit.hpp"

namespace
{

constexpr int BLOCKS = 200;
constexpr int ROUNDS = 9;
constexpr int PROCESSES_MOST = 2;

namespace boost_ipc = boost::interprocess;

std::string path;
std::size_t size;
long pairs = 500000;

struct dice {
    std::uint32_t state;

    std::uint32_t operator()(std::uint32_t bound)
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state % bound;
    }
};

[[noreturn]] void fail(const char *what)
{
    std::perror(what);
    std::exit(3);
}

// Frees a block and allocates one, again and again, in an order that is the
// same for every allocator.
template <class Free, class Alloc> void churn(int me, Free free, Alloc alloc)
{
    dice roll{2463534242u + static_cast<std::uint32_t>(me)};
    for (int i = 0; i < BLOCKS; i++) {
        alloc(i, 16 + roll(497));
    }
    for (long n = 0; n < pairs; n++) {
        int i = static_cast<int>(roll(BLOCKS));
        free(i);
        alloc(i, 16 + roll(497));
    }
    for (int i = 0; i < BLOCKS; i++) {
        free(i);
    }
}

/* ----------------------------------------------------------------- subjects */

struct corner {
    bitfit_link slots[PROCESSES_MOST][BLOCKS];
};

void *map_file()
{
    int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, static_cast<off_t>(size)) != 0) {
        fail(path.c_str());
    }
    void *memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory;
}

void make_bitfit()
{
    auto pool = bitfit::shared_pool::init(map_file(), size);
    if (!pool.calloc_into(pool.root<corner>(0))) {
        fail("the pool is too small");
    }
}

void use_bitfit(int me)
{
    auto pool = bitfit::shared_pool::attach(map_file(), size);
    std::array<void *, BLOCKS> blocks{};
    churn(
        me, [&](int i) { pool.free(blocks[static_cast<std::size_t>(i)]); },
        [&](int i, std::size_t bytes) {
            blocks[static_cast<std::size_t>(i)] = pool.alloc(bytes);
        });
}

void use_slots(int me)
{
    auto pool = bitfit::shared_pool::attach(map_file(), size);
    bitfit_link *slots = pool.follow(pool.root<corner>(0))->slots[me];
    churn(
        me, [&](int i) { bitfit_free_from(pool.get(), &slots[i]); },
        [&](int i, std::size_t bytes) {
            bitfit_alloc_into(pool.get(), bytes, &slots[i]);
        });
}

void make_boost()
{
    boost_ipc::managed_mapped_file made(boost_ipc::create_only, path.c_str(),
                                        size);
}

void use_boost(int me)
{
    boost_ipc::managed_mapped_file file(boost_ipc::open_only, path.c_str());
    std::array<void *, BLOCKS> blocks{};
    churn(
        me,
        [&](int i) { file.deallocate(blocks[static_cast<std::size_t>(i)]); },
        [&](int i, std::size_t bytes) {
            blocks[static_cast<std::size_t>(i)] = file.allocate(bytes);
        });
}

struct subject {
    const char *name;
    void (*make)();
    void (*use)(int me);
};

constexpr std::array<subject, 3> subjects = {{
    {"bitfit", make_bitfit, use_bitfit},
    {"bitfit, slots", make_bitfit, use_slots},
    {"Boost", make_boost, use_boost},
}};

/* ---------------------------------------------------------------- measuring */

// Nanoseconds of a pair, of all processes together.
double round_of(const subject &of, int processes)
{
    unlink(path.c_str());
    of.make();
    auto start = std::chrono::steady_clock::now();
    for (int me = 0; me < processes; me++) {
        pid_t child = fork();
        if (child == 0) {
            of.use(me);
            _exit(0);
        }
    }
    int how = 0;
    while (wait(&how) > 0) {
        if (how != 0) {
            fail("a process ended early");
        }
    }
    std::chrono::duration<double, std::nano> took =
        std::chrono::steady_clock::now() - start;
    return took.count() / static_cast<double>(pairs * processes);
}

void print_row(int processes)
{
    std::array<std::array<double, ROUNDS>, subjects.size()> took{};
    for (std::size_t i = 0; i < ROUNDS; i++) {
        for (std::size_t s = 0; s < subjects.size(); s++) {
            took[s][i] = round_of(subjects[s], processes);
        }
    }
    std::printf("%8zu KiB %10d", size / 1024, processes);
    for (auto &times : took) {
        std::sort(times.begin(), times.end());
        std::printf(" %14.0f", times[ROUNDS / 2]);
    }
    std::puts("");
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    path = argc > 1 ? argv[1] : "/dev/shm";
    path += "/bitfit-processes." + std::to_string(getpid());
    pairs = argc > 2 ? std::atol(argv[2]) : pairs;
    if (pairs <= 0) {
        std::fputs("usage: bitfit_processes [FOLDER [PAIRS]]\n", stderr);
        return 2;
    }
    std::printf("%12s %10s", "file", "processes");
    for (const subject &each : subjects) {
        std::printf(" %14s", each.name);
    }
    std::puts("");
    for (std::size_t kib : {1024, 65536}) {
        size = kib * 1024;
        for (int processes = 1; processes <= PROCESSES_MOST; processes++) {
            print_row(processes);
        }
    }
    unlink(path.c_str());
    return 0;
}
