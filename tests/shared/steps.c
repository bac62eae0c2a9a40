/*
 * usage: steps CALLS
 * The library as it is built, one machine instruction at a time. A child with
 * the pool at an address of its own makes random calls and is traced. After
 * each instruction that changed the pool, its memory is kept; each such image
 * is then attached at a third address as after a kill and a restart, and
 * compared with what was before and after the call. So it is tested what
 * stops.c cannot: the order and the joining of stores that the compiler chose.
 */
#define _GNU_SOURCE
#include "play.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REGION_MOST = 64 * 1024, IMAGES_MOST = 4096, FAULTS_SHOWN = 5 };

/* Around a word's border, beyond it, and with a tree. */
static const struct setting {
    size_t granules;
    size_t sizes[4];
} settings[] = {
    {64, {1, 3, 17, 40}},
    {128, {1, 31, 64, 65}},
    {330, {3, 64, 129, 200}},
    {640, {7, 65, 192, 257}},
};

static const struct setting *now;
static size_t region;
static int file;
static unsigned char *here;                             /* in this process */
static _Alignas(4096) unsigned char there[REGION_MOST]; /* where it is judged */
static call *ordered; /* what the child is to do next, shared with it */
static unsigned char *images[IMAGES_MOST];
static size_t image_count;
static size_t instructions, images_judged, in_a_change, faults;

static uint64_t dice(uint64_t bound)
{
    static uint64_t state = UINT64_C(88172645463325252);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

/* ---------------------------------------------------------------- the child */

static unsigned char *map_file(void)
{
    unsigned char *at =
        mmap(NULL, REGION_MOST, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return at;
}

/* Stops before each call, and is stepped from there to the next stop. */
static void serve(void)
{
    bitfit_pool *pool = (bitfit_pool *)(void *)map_file();
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        perror("ptrace");
        _exit(2);
    }
    for (;;) {
        raise(SIGSTOP);
        ordered->pool = pool;
        make_call(ordered);
    }
}

static pid_t start(void)
{
    int how;
    pid_t child = fork();
    if (child == 0) {
        serve();
    }
    waitpid(child, &how, 0);
    return child;
}

/* --------------------------------------------------------------- the images */

static void keep_image(void)
{
    if (image_count == IMAGES_MOST) {
        printf("more images than there is room for\n");
        exit(1);
    }
    if (images[image_count] == NULL) {
        images[image_count] = malloc(REGION_MOST);
    }
    memcpy(images[image_count++], here, region);
}

/* Steps through one call. The first image is what was before it. */
static void step_through(pid_t child)
{
    int how = 0;
    image_count = 0;
    keep_image();
    do {
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
        waitpid(child, &how, 0);
        instructions++;
        if (!WIFSTOPPED(how)) {
            printf("the child ended in %s\n", verb_names[ordered->verb]);
            exit(1);
        }
        if (memcmp(here, images[image_count - 1], region) != 0) {
            keep_image();
        }
    } while (WSTOPSIG(how) != SIGSTOP);
}

/* As after a restart: the lock in the image is held by the child. */
static void look_at(const unsigned char *image, view *seen)
{
    memcpy(there, image, region);
    seen->broken = -1;
    if (bitfit_attach(there, region, true, NULL) != NULL) {
        look(there, seen);
    }
}

static bool is_right(unsigned char *image, const view *was, const view *is,
                     const view *found)
{
    uint64_t op = shared_in(image)->intent.op;
    bool undone = is_undone(ordered->verb);
    unsigned char *before = images[0];
    unsigned char *after = images[image_count - 1];
    bool before_fits =
        same(found, was) && same_content(found->picture, there, before);
    bool after_fits =
        same(found, is) && same_content(found->picture, there, after);
    return ((op == BF_NO_OP || undone) && before_fits) ||
           ((op == BF_NO_OP || !undone) && after_fits);
}

static void judge_images(void)
{
    static view was, is, found;
    look_at(images[0], &was);
    look_at(images[image_count - 1], &is);
    for (size_t i = 0; i < image_count; i++) {
        look_at(images[i], &found);
        images_judged++;
        in_a_change += shared_in(images[i])->intent.op != BF_NO_OP;
        if (!is_right(images[i], &was, &is, &found) &&
            faults++ < FAULTS_SHOWN) {
            printf("%s(block %zu, count %zu), image %zu of %zu\n"
                   "  before %s\n  after  %s\n  found  %s (check: %d)\n",
                   verb_names[ordered->verb], ordered->block, ordered->count, i,
                   image_count, was.picture, is.picture, found.picture,
                   found.broken);
        }
    }
}

/* ---------------------------------------------------------------- the calls */

static size_t some_count(void)
{
    return now->sizes[dice(sizeof now->sizes / sizeof now->sizes[0])];
}

static size_t blocks_now(size_t *starts)
{
    static char picture[GRANULES_MOST + 1];
    size_t count = 0;
    bitfit_draw((bitfit_pool *)(void *)here, picture, sizeof picture);
    for (size_t i = 0; picture[i] != '\0'; i++) {
        if (picture[i] != '.' && (i == 0 || picture[i] != picture[i - 1])) {
            starts[count++] = i;
        }
    }
    return count;
}

/* Another state, of a few blocks; returns how many. */
static size_t shuffle(size_t *starts)
{
    bitfit_pool *pool = (bitfit_pool *)(void *)here;
    for (int i = 0; i < 3; i++) {
        size_t blocks = blocks_now(starts);
        if (blocks != 0 && dice(10) < blocks) {
            size_t one = starts[dice(blocks)];
            bitfit_free(pool, bitfit_follow(pool, link_of(here, one)));
        } else {
            (void)bitfit_alloc(pool, some_count() * GRANULE);
        }
    }
    return blocks_now(starts);
}

/* A call that is no misuse: what fills a slot finds it empty, and what frees a
 * block has one. Sweeping is many calls, and has no one picture after it. */
static void order(size_t blocks, const size_t *starts)
{
    bitfit_pool *pool = (bitfit_pool *)(void *)here;
    do {
        *ordered = (call){.verb = (verb)dice(SWEEP), .count = some_count()};
    } while (blocks == 0 &&
             (ordered->verb == FREE || ordered->verb == REALLOC));
    ordered->block = blocks == 0 ? 0 : starts[dice(blocks)];
    bool filled = blocks != 0 && ordered->verb >= REALLOC_IN;
    *bitfit_root(pool, 0) = filled ? link_of(here, ordered->block) : 0;
    *bitfit_root(pool, 1) = 0;
    for (size_t i = 0; i < now->granules * GRANULE; i++) {
        here[(size_t)shared_in(here)->payload + i] = (unsigned char)(i * 7 + 1);
    }
}

static void open_pool(void)
{
    const bitfit_options options = {.granule = GRANULE};
    for (region = 512; region < REGION_MOST; region += 8) {
        bitfit_pool *pool = bitfit_init_shared(here, region, &options);
        if (pool != NULL && shared_in(here)->granules == now->granules) {
            return;
        }
    }
    abort();
}

static void run(size_t calls)
{
    size_t starts[GRANULES_MOST];
    int how;
    open_pool();
    pid_t child = start();
    for (size_t i = 0; i < calls; i++) {
        order(shuffle(starts), starts);
        step_through(child);
        judge_images();
    }
    kill(child, SIGKILL);
    waitpid(child, &how, 0);
    printf("%5zu granules: %9zu instructions, %7zu images, %6zu in a change, "
           "%zu faults\n",
           now->granules, instructions, images_judged, in_a_change, faults);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t calls = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (calls == 0) {
        fprintf(stderr, "usage: steps CALLS\n");
        return 2;
    }
    file = memfd_create("steps", MFD_CLOEXEC);
    ordered = mmap(NULL, sizeof *ordered, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (file < 0 || ftruncate(file, REGION_MOST) != 0 ||
        ordered == MAP_FAILED) {
        perror("memory");
        return 2;
    }
    here = map_file();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        now = &settings[i];
        instructions = images_judged = in_a_change = 0;
        run(calls);
    }
    return faults != 0;
}
