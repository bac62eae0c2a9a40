// usage: words FILE [WORD...]
// Adds words to a list in a file, and prints them all. words.py does the same,
// in Python, with the same file.
//
// - A word is a block: the link to the next one, then the text.
// - It is made in root 1, the hand, and hung in by one swap. Killed at any
//   moment, it is in the list or in the hand; who comes next empties the hand.
// - The lock of the file lets one process in at a time, so each is alone.
#include <bitfit.hpp>

#include <cstring>
#include <iostream>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

namespace
{

constexpr std::size_t size = 1 << 20;

struct word {
    bitfit::link<word> next;
    // and behind it the text, with a zero at its end
    char *text()
    {
        return reinterpret_cast<char *>(this + 1);
    }
};

// The pool in the file, or a new one if there is none.
bitfit::shared_pool open_pool(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT, 0600);
    if (file < 0 || flock(file, LOCK_EX) != 0) {
        throw std::runtime_error("the file cannot be opened");
    }
    void *memory = MAP_FAILED;
    if (ftruncate(file, size) == 0) {
        memory =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (memory == MAP_FAILED) {
        throw std::runtime_error("the file cannot be mapped");
    }
    bitfit_status status = BITFIT_OK;
    bitfit_pool *pool = bitfit_attach(memory, size, true, &status);
    if (pool == nullptr && status == BITFIT_NO_POOL) {
        return bitfit::shared_pool::init(memory, size);
    }
    if (pool == nullptr) {
        throw bitfit::init_error(status);
    }
    return bitfit::shared_pool(pool);
}

void add(const bitfit::shared_pool &pool, std::string_view text)
{
    auto &hand = pool.root<word>(1);
    auto *end = &pool.root<word>(0);
    while (word *at = pool.follow(*end)) {
        end = &at->next;
    }
    if (!bitfit_calloc_into(pool.get(), 1, sizeof(word) + text.size() + 1,
                            &hand.value)) {
        throw std::bad_alloc();
    }
    std::memcpy(pool.follow(hand)->text(), text.data(), text.size());
    pool.swap(hand, *end);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2) {
        return 2;
    }
    try {
        auto pool = open_pool(argv[1]);
        pool.free_from(pool.root<word>(1));
        for (int i = 2; i < argc; i++) {
            add(pool, argv[i]);
        }
        std::size_t count = 0;
        for (word *at = pool.follow(pool.root<word>(0)); at != nullptr;
             at = pool.follow(at->next)) {
            std::cout << at->text() << '\n';
            count++;
        }
        if (pool.stats().blocks != count) {
            throw std::runtime_error("blocks are lost");
        }
    } catch (const std::exception &error) {
        std::cerr << argv[1] << ": " << error.what() << '\n';
        return 1;
    }
}
