#include "core_file.h"

#include "outside.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STEP = 16, /* bookkeeping begins at a multiple of this */
    PAGE = 4096,
    SHOWN = 8, /* pools in the message that lists them */
    NOTE_ALIGNMENT = 4
};

typedef struct core_file {
    const unsigned char *at; /* all of it, mapped */
    size_t size;
    const Elf64_Phdr *headers;
    size_t count;
    uint64_t published; /* the address of that page; 0: there is none */
} core_file;

static const char no_memory[] = "there is not enough memory for the pool";

/* -------------------------------------------------------------- the file */

static int open_file(const char *input)
{
    int file = open(input, O_RDONLY | O_CLOEXEC);
    const char *sign = strrchr(input, '@');
    if (file >= 0 || sign == NULL)
        return file;
    char *path = strndup(input, (size_t)(sign - input));
    if (path != NULL)
        file = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    return file;
}

bool core_file_is_one(const char *input)
{
    Elf64_Ehdr header;
    int file = open_file(input);
    bool is = file >= 0 &&
              pread(file, &header, sizeof header, 0) == sizeof header &&
              memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
              header.e_type == ET_CORE;
    if (file >= 0)
        close(file);
    return is;
}

/* Whether so many bytes stand there in the file. */
static bool has(const core_file *core, uint64_t offset, uint64_t size)
{
    return offset <= core->size && size <= core->size - offset;
}

static const char *map_file(core_file *core, const char *input)
{
    struct stat status;
    int file = open_file(input);
    if (file < 0 || fstat(file, &status) != 0)
        return strerror(errno);
    core->size = (size_t)status.st_size;
    void *at = mmap(NULL, core->size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (at == MAP_FAILED)
        return strerror(errno);
    core->at = at;
    return NULL;
}

static bool read_headers(core_file *core)
{
    const unsigned one = 1;
    const Elf64_Ehdr *header = (const void *)core->at;
    int order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
    if (!has(core, 0, sizeof *header) ||
        header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != order ||
        header->e_phentsize != sizeof *core->headers ||
        header->e_phoff % _Alignof(Elf64_Phdr) != 0 ||
        !has(core, header->e_phoff,
             (uint64_t)header->e_phnum * sizeof *core->headers))
        return false;
    core->headers = (const void *)(core->at + header->e_phoff);
    core->count = header->e_phnum;
    return true;
}

/* ----------------------------------------------------------- its memory */

/* What of the segment stands in the file. */
static size_t size_of(const core_file *core, const Elf64_Phdr *segment)
{
    if (segment->p_type != PT_LOAD || segment->p_offset > core->size)
        return 0;
    size_t left = core->size - (size_t)segment->p_offset;
    return segment->p_filesz < left ? (size_t)segment->p_filesz : left;
}

/* The segment that has this address in the file, or NULL. */
static const Elf64_Phdr *segment_of(const core_file *core, uint64_t address)
{
    for (size_t i = 0; i < core->count; i++) {
        const Elf64_Phdr *segment = &core->headers[i];
        if (address - segment->p_vaddr < size_of(core, segment))
            return segment;
    }
    return NULL;
}

/* Copies what follows an address up to `size` bytes, aligned as malloc() does.
 * The copy's size is stored; NULL if memory is short or there is nothing. */
static void *copy_from(const core_file *core, uint64_t address, size_t size,
                       size_t *copied)
{
    const Elf64_Phdr *segment = segment_of(core, address);
    if (segment == NULL)
        return NULL;
    size_t skipped = (size_t)(address - segment->p_vaddr);
    size_t left = size_of(core, segment) - skipped;
    *copied = size < left ? size : left;
    void *copy = malloc(*copied);
    if (copy != NULL)
        memcpy(copy, core->at + segment->p_offset + skipped, *copied);
    return copy;
}

/* -------------------------------------------------------- the malloc's pool */

static size_t aligned(size_t size)
{
    return (size + NOTE_ALIGNMENT - 1) / NOTE_ALIGNMENT * NOTE_ALIGNMENT;
}

/* A list of mapped files: how many, the page's size, then three numbers for
 * each, the first of them the start, and then their names. */
static void find_published(core_file *core, const unsigned char *list,
                           size_t size)
{
    enum { HEAD = 2 * sizeof(uint64_t), EACH = 3 * sizeof(uint64_t) };
    uint64_t count;
    if (size < HEAD)
        return;
    memcpy(&count, list, sizeof count);
    if (count > (size - HEAD) / EACH)
        return;
    const char *name = (const char *)list + HEAD + count * EACH;
    const char *end = (const char *)list + size;
    for (uint64_t i = 0; i < count && name < end; i++) {
        size_t length = strnlen(name, (size_t)(end - name));
        if (memmem(name, length, "memfd:" BITFIT_PUBLISHED_NAME,
                   sizeof "memfd:" BITFIT_PUBLISHED_NAME - 1) != NULL)
            memcpy(&core->published, list + HEAD + i * EACH, sizeof(uint64_t));
        name += length + 1;
    }
}

static void read_notes(core_file *core, const Elf64_Phdr *segment)
{
    size_t at = (size_t)segment->p_offset;
    while (segment->p_type == PT_NOTE &&
           has(core, segment->p_offset, segment->p_filesz) &&
           at < segment->p_offset + segment->p_filesz) {
        Elf64_Nhdr note;
        if (!has(core, at, sizeof note))
            return;
        memcpy(&note, core->at + at, sizeof note);
        size_t content = at + sizeof note + aligned(note.n_namesz);
        if (!has(core, content, note.n_descsz))
            return;
        if (note.n_type == NT_FILE)
            find_published(core, core->at + content, note.n_descsz);
        at = content + aligned(note.n_descsz);
    }
}

/* The page that is published, as it is; false if there is none. */
static bool read_published(const core_file *core, bitfit_published *page)
{
    size_t size;
    void *copy = core->published == 0
                     ? NULL
                     : copy_from(core, core->published, sizeof *page, &size);
    bool read = copy != NULL && size == sizeof *page;
    if (read)
        memcpy(page, copy, sizeof *page);
    free(copy);
    return read && page->magic == BITFIT_PUBLISHED_MAGIC;
}

/* --------------------------------------------------------------- own pools */

typedef struct found_pools {
    uint64_t at[SHOWN];
    size_t count; /* there may be more than are shown */
} found_pools;

static bool is_zero(const unsigned char *at, size_t size)
{
    return at[0] == 0 && memcmp(at, at + 1, size - 1) == 0;
}

/* Bookkeeping that is whole, of memory that is in the file, too. */
static bool is_pool(const core_file *core, const unsigned char *at, size_t size)
{
    heap_moment moment;
    if (bitfit_copy_check(at, size) != BITFIT_COPY_WHOLE ||
        !moment_of_copy(&moment, at, size))
        return false;
    bool is = segment_of(core, moment.payload) != NULL;
    moment_close(&moment);
    return is;
}

static void search(const core_file *core, const Elf64_Phdr *segment,
                   const unsigned char *start, size_t size, found_pools *found)
{
    for (size_t at = 0; at + STEP <= size; at += STEP) {
        size_t page = size - at < PAGE ? size - at : PAGE;
        if (at % PAGE == 0 && is_zero(start + at, page)) {
            at += page / STEP * STEP - STEP;
            continue;
        }
        if (!is_pool(core, start + at, size - at))
            continue;
        if (found->count < SHOWN)
            found->at[found->count] = segment->p_vaddr + at;
        found->count++;
    }
}

/* In place, if the file has it aligned as the process had it. */
static const char *search_all(const core_file *core, found_pools *found)
{
    for (size_t i = 0; i < core->count; i++) {
        const Elf64_Phdr *segment = &core->headers[i];
        size_t size = size_of(core, segment);
        if (size == 0)
            continue;
        const unsigned char *start = core->at + segment->p_offset;
        void *copy = NULL;
        if (segment->p_offset % STEP != 0) {
            start = copy = copy_from(core, segment->p_vaddr, size, &size);
            if (copy == NULL)
                return no_memory;
        }
        search(core, segment, start, size, found);
        free(copy);
    }
    return NULL;
}

static const char *list(const found_pools *found)
{
    static char text[64 + SHOWN * 24];
    int used = snprintf(text, sizeof text,
                        "there are %zu pools: add one, as in "
                        "FILE@",
                        found->count);
    for (size_t i = 0; i < found->count && i < SHOWN; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "%s0x%" PRIx64, i == 0 ? "" : ", @", found->at[i]);
    return text;
}

/* ------------------------------------------------------------------ looking */

static const char *look_at(const core_file *core, uint64_t address, size_t size,
                           heap_moment *moment)
{
    void *copy = copy_from(core, address, size, &size);
    if (copy == NULL)
        return "this core file has no memory at that address";
    const char *why =
        bitfit_copy_check(copy, size) == BITFIT_COPY_NO_POOL
            ? "there is no pool, or one of another version of bitfit"
        : moment_of_copy(moment, copy, size) ? NULL
                                             : no_memory;
    free(copy);
    return why;
}

static const char *look(core_file *core, uint64_t address, heap_moment *moment)
{
    bitfit_published page;
    found_pools found = {.count = 0};
    if (!read_headers(core))
        return "a core file of another kind of machine, or a damaged one";
    for (size_t i = 0; i < core->count; i++)
        read_notes(core, &core->headers[i]);
    if (address == 0 && read_published(core, &page)) {
        const char *why = look_at(core, page.bookkeeping,
                                  (size_t)page.bookkeeping_size, moment);
        if (why == NULL)
            outside_leave_out_marks(&page, moment);
        return why;
    }
    if (address != 0)
        return look_at(core, address, SIZE_MAX, moment);
    const char *why = search_all(core, &found);
    if (why != NULL || found.count == 0)
        return why != NULL ? why : "no pool is in this core file";
    return found.count > 1 ? list(&found)
                           : look_at(core, found.at[0], SIZE_MAX, moment);
}

const char *core_file_look(const char *input, heap_moment *moment)
{
    core_file core = {.at = NULL};
    const char *sign = access(input, F_OK) == 0 ? NULL : strrchr(input, '@');
    char *end = NULL;
    uint64_t address = sign == NULL ? 0 : strtoull(sign + 1, &end, 16);
    if (sign != NULL && (end == sign + 1 || *end != '\0'))
        return "what follows the @ is no address";
    const char *why = map_file(&core, input);
    if (why != NULL)
        return why;
    why = look(&core, address, moment);
    munmap((void *)(uintptr_t)core.at, core.size);
    return why;
}
