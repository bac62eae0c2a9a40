/*
 * bitfit in C++17: pools that end by themselves, and standard allocators over
 * them. Header only; link bitfit as for bitfit.h.
 *
 *     alignas(std::max_align_t) static std::byte memory[65536];
 *
 *     bitfit::pool pool(memory, sizeof memory);
 *     std::vector<int, bitfit::allocator<int>> numbers(pool);
 *
 *     bitfit::resource resource(pool);
 *     std::pmr::string text("in the same pool", &resource);
 *
 *     auto point = bitfit::make_unique<Point>(pool, 3, 4);
 *
 *     bitfit::offset_pool gpu(64 << 20, options);      // no memory, offsets
 *     std::uint64_t at = gpu.alloc(1000);
 *
 *     auto table = bitfit::shared_pool::attach(memory, size); // of processes
 *     node *first = table.follow(table.root<node>(0));
 *
 * The promises are those of bitfit.h. Sizes are bytes unless a parameter is
 * called count.
 *
 * Lack of memory: the standard interfaces throw std::bad_alloc, or
 * std::bad_array_new_length if count * sizeof(T) overflows. The calls of
 * pool_ref return null, as in C. Without exceptions, std::abort() replaces
 * every throw. Without RTTI one thing changes: see resource. Compile all files
 * of a program alike.
 *
 * Lifetime: the memory must outlive its pool; the pool must outlive everything
 * made from it: resources, allocators and pointers. Objects left in a pool when
 * it ends are not destroyed. Threads: as in bitfit.h. All types here that refer
 * to a pool are one or two words; copy them freely.
 */
#ifndef BITFIT_HPP
#define BITFIT_HPP

#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "bitfit.hpp needs C++17; bitfit.h serves every C++"
#else

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

/* Some older standard libraries lack this header. Without it there is no
 * bitfit::resource. */
#if __has_include(<memory_resource>)
#include <memory_resource>
#define BITFIT_HAS_RESOURCE 1
#endif

#include "bitfit.h"
#include "bitfit_offsets.h"
#include "bitfit_shared.h"

namespace bitfit
{

/* ---------------------------------------------------- what compilers lack */

namespace detail
{

#ifdef __cpp_exceptions
template <class Exception> [[noreturn]] void fail(const Exception &exception)
{
    throw exception;
}
#else
template <class Exception> [[noreturn]] void fail(const Exception &)
{
    std::abort();
}
#endif

#ifdef __cpp_rtti
template <class To, class From> const To *cast(const From &from) noexcept
{
    return dynamic_cast<const To *>(&from);
}
#else
template <class To, class From> const To *cast(const From &) noexcept
{
    return nullptr;
}
#endif

/* As C has it: neither type nor const. */
inline void *bare(const volatile void *ptr) noexcept
{
    return const_cast<void *>(ptr);
}

/* What a visitor answers: whether to go on. One that returns nothing does. */
template <class Visitor, class... Seen>
bool ask(void *context, const Seen &...seen) noexcept
{
    auto &visit = *static_cast<Visitor *>(context);
    if constexpr (std::is_void_v<
                      std::invoke_result_t<Visitor &, const Seen &...>>) {
        visit(seen...);
        return true;
    } else {
        return visit(seen...);
    }
}

} // namespace detail

/* ----------------------------------------------------------------- options */

/*
 * bitfit_options with struct_size filled in. Set its fields, then give it to a
 * pool. The two functions take callables by reference; these must outlive the
 * pool and must not throw (std::terminate).
 */
struct options : bitfit_options {
    options() noexcept : bitfit_options{}
    {
        struct_size = sizeof(bitfit_options);
    }

    /* handler(const bitfit_misuse &) decides what a bad call costs: see
     * bitfit_misuse_handler. */
    template <class Handler> options &call_on_misuse(Handler &handler) noexcept
    {
        misuse_context = detail::bare(std::addressof(handler));
        on_misuse = [](const bitfit_misuse *misuse, void *context) noexcept {
            (*static_cast<Handler *>(context))(*misuse);
        };
        return *this;
    }

    /* mutex.lock() and mutex.unlock() guard the pool. With a recursive mutex a
     * re-entry is caught; with any other it hangs. */
    template <class Mutex> options &lock_with(Mutex &mutex) noexcept
    {
        lock_kind = BITFIT_LOCK_CALLER;
        lock_context = detail::bare(std::addressof(mutex));
        lock = [](void *context) noexcept {
            static_cast<Mutex *>(context)->lock();
        };
        unlock = [](void *context) noexcept {
            static_cast<Mutex *>(context)->unlock();
        };
        return *this;
    }
};

/* ------------------------------------------------------------------- pools */

/*
 * A pool that somebody else owns. Like a reference it is never null and cannot
 * be assigned; copies refer to the same pool. Each function is the function of
 * bitfit.h with its name. lock() and unlock() make it a BasicLockable, for
 * std::lock_guard around fork(); a call under them is a re-entry.
 */
class pool_ref
{
  public:
    pool_ref(bitfit_pool *pool) noexcept : pool_(pool)
    {
    }
    pool_ref(const pool_ref &) noexcept = default;
    pool_ref &operator=(const pool_ref &) = delete;

    bitfit_pool *get() const noexcept
    {
        return pool_;
    }

    /* Null if and only if it fits nowhere. */
    [[nodiscard]] void *alloc(std::size_t size) const noexcept
    {
        return bitfit_alloc(pool_, size);
    }
    [[nodiscard]] void *calloc(std::size_t count,
                               std::size_t size) const noexcept
    {
        return bitfit_calloc(pool_, count, size);
    }
    [[nodiscard]] void *aligned_alloc(std::size_t alignment,
                                      std::size_t size) const noexcept
    {
        return bitfit_aligned_alloc(pool_, alignment, size);
    }
    [[nodiscard]] void *realloc(void *ptr, std::size_t size) const noexcept
    {
        return bitfit_realloc(pool_, ptr, size);
    }

    void free(void *ptr) const noexcept
    {
        bitfit_free(pool_, ptr);
    }
    void free_sized(void *ptr, std::size_t size) const noexcept
    {
        bitfit_free_sized(pool_, ptr, size);
    }
    void reset() const noexcept
    {
        bitfit_reset(pool_);
    }

    std::size_t usable_size(const void *ptr) const noexcept
    {
        return bitfit_usable_size(pool_, ptr);
    }
    std::size_t good_size(std::size_t size) const noexcept
    {
        return bitfit_good_size(pool_, size);
    }
    bool owns(const void *ptr) const noexcept
    {
        return bitfit_owns(pool_, ptr);
    }

    bitfit_stats stats() const noexcept
    {
        bitfit_stats stats{};
        bitfit_get_stats(pool_, &stats);
        return stats;
    }
    void reset_peak() noexcept
    {
        bitfit_reset_peak(pool_);
    }

    /* 0, or the number of the first invariant that is broken. */
    int check() const noexcept
    {
        return bitfit_check(pool_);
    }

    std::size_t draw(char *buffer, std::size_t size) const noexcept
    {
        return bitfit_draw(pool_, buffer, size);
    }

    /* The whole of bitfit_draw(), one character for each granule; the text's
     * own memory is not the pool's. */
    std::string picture() const
    {
        std::string text(bitfit_draw(pool_, nullptr, 0), '\0');
        bitfit_draw(pool_, text.data(), text.size() + 1);
        return text;
    }

    /*
     * Calls visit(const bitfit_run &) for every block and every hole, in
     * address order, under the lock. It returns void, or whether to go on. It
     * may not call the pool nor throw (std::terminate). Returns whether all
     * runs were seen.
     */
    template <class Visitor> bool walk(Visitor &&visit) const noexcept
    {
        using visitor = std::remove_reference_t<Visitor>;
        return bitfit_walk(pool_, show<visitor>,
                           detail::bare(std::addressof(visit)));
    }

    void lock() const noexcept
    {
        bitfit_lock(pool_);
    }
    void unlock() const noexcept
    {
        bitfit_unlock(pool_);
    }

    friend bool operator==(pool_ref a, pool_ref b) noexcept
    {
        return a.pool_ == b.pool_;
    }
    friend bool operator!=(pool_ref a, pool_ref b) noexcept
    {
        return a.pool_ != b.pool_;
    }

  protected:
    bitfit_pool *pool_;

  private:
    template <class Visitor>
    static bool show(const bitfit_run *run, void *context) noexcept
    {
        return detail::ask<Visitor>(context, *run);
    }
};

/* A pool could not be made; status() and what() say why. */
class init_error : public std::exception
{
  public:
    explicit init_error(bitfit_status status) noexcept : status_(status)
    {
    }
    bitfit_status status() const noexcept
    {
        return status_;
    }
    const char *what() const noexcept override
    {
        return bitfit_status_text(status_);
    }

  private:
    bitfit_status status_;
};

namespace detail
{

inline bitfit_pool *init(void *memory, std::size_t size,
                         const bitfit_options *options)
{
    bitfit_pool *made = bitfit_init(memory, size, options);
    if (made == nullptr) {
        fail(init_error(bitfit_init_status(memory, size, options)));
    }
    return made;
}

} // namespace detail

/*
 * A pool that ends with its owner. The memory stays the caller's. A pool is
 * empty only after a move, release() or destroy(); then you may assign or
 * destroy it, nothing else.
 */
class pool : public pool_ref
{
  public:
    /* As bitfit_init(); init_error where that returns NULL. To find out
     * without an exception ask bitfit_init_status() first, or give what
     * bitfit_init() returned to the third form, null or not. */
    pool(void *memory, std::size_t size)
        : pool_ref(detail::init(memory, size, nullptr))
    {
    }
    pool(void *memory, std::size_t size, const bitfit_options &options)
        : pool_ref(detail::init(memory, size, &options))
    {
    }
    explicit pool(bitfit_pool *owned) noexcept : pool_ref(owned)
    {
    }

    pool(pool &&other) noexcept : pool_ref(other.release())
    {
    }
    pool &operator=(pool &&other) noexcept
    {
        pool moved(std::move(other));
        std::swap(pool_, moved.pool_);
        return *this;
    }
    ~pool()
    {
        destroy();
    }

    /* Whether it is not empty. */
    explicit operator bool() const noexcept
    {
        return pool_ != nullptr;
    }

    /* Ends the pool now; returns the number of blocks that were still live. */
    std::size_t destroy() noexcept
    {
        return bitfit_destroy(release());
    }

    /* Gives the pool up without ending it. */
    bitfit_pool *release() noexcept
    {
        return std::exchange(pool_, nullptr);
    }
};

namespace detail
{

template <std::size_t Size> struct storage {
    alignas(std::max_align_t) unsigned char bytes[Size];
};

} // namespace detail

/*
 * A pool with its own memory of Size bytes, bookkeeping included: for a static
 * or a member. It cannot be moved. init_error if Size holds no granule.
 */
template <std::size_t Size>
class fixed_pool : private detail::storage<Size>, public pool_ref
{
  public:
    fixed_pool() : pool_ref(detail::init(this->bytes, Size, nullptr))
    {
    }
    explicit fixed_pool(const bitfit_options &options)
        : pool_ref(detail::init(this->bytes, Size, &options))
    {
    }
    fixed_pool(const fixed_pool &) = delete;
    ~fixed_pool()
    {
        bitfit_destroy(pool_);
    }
};

/* ---------------------------------------------------------- std::pmr, std */

#ifdef BITFIT_HAS_RESOURCE
/*
 * A pool as a std::pmr::memory_resource. Alignments are those of
 * bitfit_aligned_alloc(). deallocate() checks the size as bitfit_free_sized()
 * does.
 *
 * Two resources over one pool are equal, so containers move between them.
 * Without RTTI a resource equals only itself. Then use one resource for each
 * pool, or moves between containers copy.
 */
class resource final : public std::pmr::memory_resource
{
  public:
    explicit resource(pool_ref pool) noexcept : pool_(pool)
    {
    }
    pool_ref pool() const noexcept
    {
        return pool_;
    }

  private:
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        void *block = pool_.aligned_alloc(alignment, size);
        if (block == nullptr) {
            detail::fail(std::bad_alloc());
        }
        return block;
    }
    void do_deallocate(void *ptr, std::size_t size, std::size_t) override
    {
        pool_.free_sized(ptr, size);
    }
    bool
    do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        const auto *that = detail::cast<resource>(other);
        return this == &other || (that != nullptr && that->pool_ == pool_);
    }

    pool_ref pool_;
};
#endif

/*
 * A standard allocator over a pool. Equal if and only if over the same pool.
 * There is no default: a container without a pool does not compile.
 *
 * A copy of a container takes its memory from the source's pool; for another
 * pool, give an allocator to the copy's constructor. Assignment of a copy keeps
 * the target's pool: it copies data into a budget and does not change the
 * budget. Moves and swaps take the memory, and so the pool, along. They are
 * O(1) and cannot fail. So you may swap containers of two pools, which would
 * otherwise be undefined.
 */
template <class T> class allocator
{
  public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    allocator(pool_ref pool) noexcept : pool_(pool.get())
    {
    }
    template <class U>
    allocator(const allocator<U> &other) noexcept : pool_(other.pool().get())
    {
    }

    pool_ref pool() const noexcept
    {
        return pool_;
    }

    /* Room for `count` objects, aligned for T. */
    [[nodiscard]] T *allocate(std::size_t count)
    {
        if (count > SIZE_MAX / sizeof(T)) {
            detail::fail(std::bad_array_new_length());
        }
        void *block =
            bitfit_aligned_alloc(pool_, alignof(T), count * sizeof(T));
        if (block == nullptr) {
            detail::fail(std::bad_alloc());
        }
        return static_cast<T *>(block);
    }

    /* Checks the size as bitfit_free_sized() does. */
    void deallocate(T *ptr, std::size_t count) noexcept
    {
        bitfit_free_sized(pool_, ptr, count * sizeof(T));
    }

    allocator select_on_container_copy_construction() const noexcept
    {
        return *this;
    }

  private:
    bitfit_pool *pool_;
};

template <class T, class U>
bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.pool() == b.pool();
}
template <class T, class U>
bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.pool() != b.pool();
}

/* -------------------------------------------------------------- unique_ptr */

/*
 * Destroys an object and gives its block back. It converts to a base only where
 * that is safe: the base needs a virtual destructor. A default-made one has no
 * pool and is only for null pointers.
 */
template <class T> class deleter
{
  public:
    deleter() noexcept = default;
    explicit deleter(pool_ref pool) noexcept : pool_(pool.get())
    {
    }
    template <class U,
              class = std::enable_if_t<
                  std::is_convertible_v<U *, T *> &&
                  (std::has_virtual_destructor_v<T> ||
                   std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>>)>>
    deleter(const deleter<U> &other) noexcept : pool_(other.get())
    {
    }

    bitfit_pool *get() const noexcept
    {
        return pool_;
    }

    void operator()(T *object) const noexcept
    {
        void *block = start(object);
        object->~T();
        bitfit_free(pool_, block);
    }

  private:
    /* A base may lie inside the object; the block starts where the object does.
     */
    static void *start(T *object) noexcept
    {
        if constexpr (std::is_polymorphic_v<T>) {
            return detail::bare(dynamic_cast<const volatile void *>(object));
        } else {
            return detail::bare(object);
        }
    }

    bitfit_pool *pool_ = nullptr;
};

/* The same for an array: the last element is destroyed first. */
template <class T> class deleter<T[]>
{
  public:
    deleter() noexcept = default;
    deleter(pool_ref pool, std::size_t count) noexcept
        : pool_(pool.get()), count_(count)
    {
    }

    /* The number of elements. */
    std::size_t count() const noexcept
    {
        return count_;
    }

    void operator()(T *first) const noexcept
    {
        for (std::size_t i = count_; i > 0; i--) {
            first[i - 1].~T();
        }
        bitfit_free_sized(pool_, detail::bare(first), count_ * sizeof(T));
    }

  private:
    bitfit_pool *pool_ = nullptr;
    std::size_t count_ = 0;
};

template <class T> using unique_ptr = std::unique_ptr<T, deleter<T>>;

namespace detail
{

/* Memory for objects that gives itself back unless it is released. */
template <class T> class room
{
  public:
    room(pool_ref pool, std::size_t count)
        : allocator_(pool), count_(count), first_(allocator_.allocate(count))
    {
    }
    room(const room &) = delete;
    room &operator=(const room &) = delete;
    ~room()
    {
        if (first_ != nullptr) {
            allocator_.deallocate(first_, count_);
        }
    }
    T *get() const noexcept
    {
        return first_;
    }
    T *release() noexcept
    {
        return std::exchange(first_, nullptr);
    }

  private:
    allocator<T> allocator_;
    std::size_t count_;
    T *first_;
};

} // namespace detail

/* An object in the pool. If its constructor throws, the block is given back. */
template <class T, class... Arguments>
std::enable_if_t<!std::is_array_v<T>, unique_ptr<T>>
make_unique(pool_ref pool, Arguments &&...arguments)
{
    detail::room<std::remove_cv_t<T>> room(pool, 1);
    ::new (static_cast<void *>(room.get()))
        T(std::forward<Arguments>(arguments)...);
    return unique_ptr<T>(room.release(), deleter<T>(pool));
}

/* An array of `count` objects, value-initialized, as in make_unique<int[]>.
 * If a constructor throws, the elements before it are destroyed and the block
 * is given back. */
template <class T>
std::enable_if_t<std::is_array_v<T> && std::extent_v<T> == 0, unique_ptr<T>>
make_unique(pool_ref pool, std::size_t count)
{
    using element = std::remove_cv_t<std::remove_extent_t<T>>;
    detail::room<element> room(pool, count);
    std::uninitialized_value_construct_n(room.get(), count);
    return unique_ptr<T>(room.release(), deleter<T>(pool, count));
}

/* ----------------------------------------------------------------- offsets */

/* In place of null. */
inline constexpr std::uint64_t no_offset = BITFIT_NO_OFFSET;

/*
 * A pool of the offsets [0, size), for memory that the processor cannot touch.
 * Each function is that of bitfit_offsets.h with its name. The bookkeeping is
 * that of the options, or new[]'s if they give none. It can be moved; it is
 * empty then.
 */
class offset_pool
{
  public:
    /* init_error where bitfit_init_offsets() returns NULL; std::bad_alloc. */
    explicit offset_pool(std::uint64_t size,
                         const bitfit_options &options = bitfit::options())
    {
        bitfit_options given = options;
        if (given.bookkeeping == nullptr) {
            given.bookkeeping_size = bookkeeping_size(size, options);
            own_ = make_room(given.bookkeeping_size);
            given.bookkeeping = own_.get();
        }
        pool_ = bitfit_init_offsets(size, &given);
        if (pool_ == nullptr) {
            detail::fail(init_error(bitfit_init_offsets_status(size, &given)));
        }
    }
    offset_pool(offset_pool &&other) noexcept
        : own_(std::move(other.own_)),
          pool_(std::exchange(other.pool_, nullptr))
    {
    }
    offset_pool &operator=(offset_pool &&other) noexcept
    {
        offset_pool moved(std::move(other));
        std::swap(own_, moved.own_);
        std::swap(pool_, moved.pool_);
        return *this;
    }
    ~offset_pool()
    {
        bitfit_destroy(pool_);
    }

    static std::size_t bookkeeping_size(std::uint64_t size,
                                        const bitfit_options &options) noexcept
    {
        return bitfit_offsets_bookkeeping_size(size, &options);
    }

    /* For check(), picture(), reset(), lock() and the like. */
    pool_ref pool() const noexcept
    {
        return pool_;
    }

    /* no_offset if and only if it fits nowhere. */
    [[nodiscard]] std::uint64_t alloc(std::uint64_t size) const noexcept
    {
        return bitfit_alloc_offset(pool_, size);
    }
    [[nodiscard]] std::uint64_t aligned_alloc(std::uint64_t alignment,
                                              std::uint64_t size) const noexcept
    {
        return bitfit_aligned_alloc_offset(pool_, alignment, size);
    }
    [[nodiscard]] bool alloc_at(std::uint64_t offset,
                                std::uint64_t size) const noexcept
    {
        return bitfit_alloc_at_offset(pool_, offset, size);
    }
    [[nodiscard]] bool resize(std::uint64_t offset,
                              std::uint64_t size) const noexcept
    {
        return bitfit_resize_offset(pool_, offset, size);
    }
    void free(std::uint64_t offset) const noexcept
    {
        bitfit_free_offset(pool_, offset);
    }
    std::uint64_t size(std::uint64_t offset) const noexcept
    {
        return bitfit_offset_size(pool_, offset);
    }

    /* The next step of a compaction, below an offset or of all. */
    std::optional<bitfit_move>
    next_move(std::uint64_t below = no_offset) const noexcept
    {
        bitfit_move move{};
        bool found = bitfit_next_move(pool_, below, &move);
        return found ? std::optional(move) : std::nullopt;
    }

    bitfit_offset_stats stats() const noexcept
    {
        bitfit_offset_stats stats{};
        stats.struct_size = sizeof stats;
        bitfit_get_offset_stats(pool_, &stats);
        return stats;
    }
    std::uint64_t largest_free() const noexcept
    {
        return bitfit_largest_free(pool_);
    }

    /* As pool_ref::walk(), with visit(const bitfit_range &). */
    template <class Visitor> bool walk(Visitor &&visit) const noexcept
    {
        using visitor = std::remove_reference_t<Visitor>;
        return bitfit_walk_offsets(pool_, show<visitor>,
                                   detail::bare(std::addressof(visit)));
    }

  private:
    using unit = std::max_align_t;

    static std::unique_ptr<unit[]> make_room(std::size_t size)
    {
        std::size_t units = (size + sizeof(unit) - 1) / sizeof(unit);
        return std::unique_ptr<unit[]>(new unit[units]);
    }
    template <class Visitor>
    static bool show(const bitfit_range *range, void *context) noexcept
    {
        return detail::ask<Visitor>(context, *range);
    }

    std::unique_ptr<unit[]> own_;
    bitfit_pool *pool_ = nullptr;
};

/* ------------------------------------------------------------------ shared */

/*
 * A slot for a block of T, inside a shared pool: 64 bits that are the same in
 * every process; 0 is none. T may be incomplete where the link stands, so a
 * node can have a link to the next one.
 */
template <class T> struct link {
    bitfit_link value = 0;

    explicit operator bool() const noexcept
    {
        return value != 0;
    }
};

/*
 * A pool that processes share, or that a file keeps: bitfit_shared.h has the
 * promise. It refers to the pool, as pool_ref does. The pool stays when this
 * ends.
 *
 * A process may be killed between any two stores, so an object in a slot must
 * make sense as bytes: T is trivially copyable, and no constructor runs. Counts
 * are of objects; a count that overflows does not fit.
 */
class shared_pool : public pool_ref
{
  public:
    /* As bitfit_init_shared() and bitfit_attach(); init_error where these
     * return NULL. */
    static shared_pool init(void *memory, std::size_t size,
                            const bitfit_options &options = bitfit::options())
    {
        bitfit_pool *made = bitfit_init_shared(memory, size, &options);
        if (made == nullptr) {
            detail::fail(
                init_error(bitfit_init_shared_status(memory, size, &options)));
        }
        return shared_pool(made);
    }
    static shared_pool attach(void *memory, std::size_t size,
                              bool alone = false)
    {
        bitfit_status status = BITFIT_OK;
        bitfit_pool *found = bitfit_attach(memory, size, alone, &status);
        if (found == nullptr) {
            detail::fail(init_error(status));
        }
        return shared_pool(found);
    }
    /* What bitfit_init_shared() or bitfit_attach() returned. */
    explicit shared_pool(bitfit_pool *pool) noexcept : pool_ref(pool)
    {
    }

    std::uint64_t repairs() const noexcept
    {
        return bitfit_repairs(pool_);
    }

    /* Root number `which`, below BITFIT_ROOTS. It has one T for its life. */
    template <class T> link<T> &root(unsigned which) const noexcept
    {
        static_assert(sizeof(link<T>) == sizeof(bitfit_link));
        return *reinterpret_cast<link<T> *>(bitfit_root(pool_, which));
    }

    /* Where a link leads in this process; null for none. */
    template <class T> T *follow(const link<T> &slot) const noexcept
    {
        return static_cast<T *>(bitfit_follow(pool_, slot.value));
    }

    /* False, and the slot is none, if and only if there is no room. Blocks are
     * aligned as the pool's granule; a T that wants more than 8 bytes of it has
     * aligned_alloc_into() alone. */
    template <class T>
    [[nodiscard]] bool alloc_into(link<T> &slot,
                                  std::size_t count = 1) const noexcept
    {
        static_assert(alignof(T) <= 8);
        return bitfit_alloc_into(pool_, bytes<T>(count), &slot.value);
    }
    template <class T>
    [[nodiscard]] bool calloc_into(link<T> &slot,
                                   std::size_t count = 1) const noexcept
    {
        static_assert(alignof(T) <= 8);
        return bitfit_calloc_into(pool_, 1, bytes<T>(count), &slot.value);
    }
    template <class T>
    [[nodiscard]] bool aligned_alloc_into(std::size_t alignment, link<T> &slot,
                                          std::size_t count = 1) const noexcept
    {
        return bitfit_aligned_alloc_into(pool_, alignment, bytes<T>(count),
                                         &slot.value);
    }
    template <class T>
    [[nodiscard]] bool realloc_in(link<T> &slot,
                                  std::size_t count) const noexcept
    {
        static_assert(alignof(T) <= 8);
        return bitfit_realloc_in(pool_, &slot.value, bytes<T>(count));
    }
    template <class T> void free_from(link<T> &slot) const noexcept
    {
        bitfit_free_from(pool_, &slot.value);
    }
    template <class T> void swap(link<T> &a, link<T> &b) const noexcept
    {
        bitfit_swap(pool_, &a.value, &b.value);
    }

    /* keep(bitfit_link, std::size_t) returns whether to keep the block; rules
     * as for walk(). */
    template <class Keeper> std::size_t sweep(Keeper &&keep) const noexcept
    {
        using keeper = std::remove_reference_t<Keeper>;
        return bitfit_sweep(pool_, wanted<keeper>,
                            detail::bare(std::addressof(keep)));
    }

  private:
    template <class T> static std::size_t bytes(std::size_t count) noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>);
        return count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T);
    }
    template <class Keeper>
    static bool wanted(bitfit_link block, std::size_t size,
                       void *context) noexcept
    {
        return (*static_cast<Keeper *>(context))(block, size);
    }
};

} // namespace bitfit

#endif

#endif
