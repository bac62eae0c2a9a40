// Pools that processes share: every function of bitfit::shared_pool.
#include <cstring>

#include "heap.hpp"

#ifdef __linux__
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

struct node {
    bitfit::link<node> next;
    int number;
};

// Memory that processes share.
struct region {
    static constexpr std::size_t size = 65536;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ~region()
    {
        munmap(memory, size);
    }
};

template <class Function> int status_of(Function function)
{
    try {
        function();
    } catch (const bitfit::init_error &error) {
        return error.status();
    }
    return BITFIT_OK;
}

TEST_CASE("slots name their blocks")
{
    region r;
    auto pool = bitfit::shared_pool::init(r.memory, r.size);
    auto &list = pool.root<node>(0);
    auto &text = pool.root<char>(1);
    CHECK_FALSE(list);
    CHECK(pool.follow(list) == nullptr);
    REQUIRE(pool.calloc_into(list));
    node *first = pool.follow(list);
    CHECK(first->number == 0);
    REQUIRE(pool.alloc_into(first->next));
    pool.follow(first->next)->number = 2;
    pool.swap(list, first->next);
    CHECK(pool.follow(list)->number == 2);

    REQUIRE(pool.aligned_alloc_into(1024, text, 5));
    std::strcpy(pool.follow(text), "kept");
    REQUIRE(pool.realloc_in(text, 5000));
    CHECK(std::strcmp(pool.follow(text), "kept") == 0);
    CHECK_FALSE(pool.realloc_in(text, SIZE_MAX));
    CHECK(pool.stats().blocks == 3);
    pool.free_from(text);
    CHECK_FALSE(text);
    CHECK_FALSE(pool.alloc_into(pool.root<node>(2), SIZE_MAX));
    CHECK(pool.check() == 0);
}

TEST_CASE("sweep() frees what is not kept")
{
    region r;
    auto pool = bitfit::shared_pool::init(r.memory, r.size);
    auto &kept = pool.root<node>(0);
    REQUIRE(pool.alloc_into(kept));
    REQUIRE(pool.alloc(100) != nullptr);
    std::size_t swept = pool.sweep([&](bitfit_link block, std::size_t size) {
        CHECK(size >= sizeof(node));
        return block == kept.value;
    });
    CHECK(swept == 1);
    CHECK(pool.stats().blocks == 1);
}

TEST_CASE("another process, at another address, finds it all")
{
    region r;
    auto pool = bitfit::shared_pool::init(r.memory, r.size);
    REQUIRE(pool.alloc_into(pool.root<node>(0)));
    pool.follow(pool.root<node>(0))->number = 7;
    pid_t child = fork();
    if (child == 0) {
        void *there = mremap(r.memory, 0, r.size, MREMAP_MAYMOVE);
        auto mine = bitfit::shared_pool::attach(there, r.size);
        node *seen = mine.follow(mine.root<node>(0));
        bool done = there != r.memory && seen->number == 7 &&
                    mine.alloc_into(seen->next);
        mine.lock();
        if (done) {
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int how = 0;
    waitpid(child, &how, 0);
    REQUIRE(WIFSIGNALED(how));
    CHECK(pool.stats().blocks == 2);
    CHECK(pool.follow(pool.root<node>(0))->next);
    CHECK(pool.repairs() == 0);
}

TEST_CASE("what cannot be opened says why")
{
    region r;
    auto attach = [&] { bitfit::shared_pool::attach(r.memory, r.size, true); };
    CHECK(status_of(attach) == BITFIT_NO_POOL);
    bitfit::options options;
    options.lock_kind = BITFIT_LOCK_NONE;
    CHECK(status_of([&] {
              bitfit::shared_pool::init(r.memory, r.size, options);
          }) == BITFIT_BAD_LOCK);
    bitfit::shared_pool::init(r.memory, r.size);
    CHECK(status_of(attach) == BITFIT_OK);
}

} // namespace
#endif
