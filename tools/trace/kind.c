#include "kind.h"

#include <elf.h>
#include <string.h>

#define RECORD "; record the program with bitfit record -- PROGRAM"

/* What people may try, and what would work instead. */
static const struct {
    const char *bytes;
    const char *what;
    size_t at; /* where the bytes stand */
    size_t size;
} kinds[] = {
#define KIND(at, bytes, what)                                                  \
    {                                                                          \
        bytes, what, at, sizeof bytes - 1                                      \
    }
    KIND(0, "{\"dhatFileVersion\"",
         "DHAT's file holds sums, not events" RECORD),
    KIND(0, "desc: ", "massif's file holds snapshots, not events" RECORD),
    KIND(0, "heap_v2/", "jemalloc's profile holds samples, not events" RECORD),
    KIND(0, "heap profile: ",
         "gperftools' profile holds sums, not "
         "events" RECORD),
    KIND(0, "memray", "memray's format is its own" RECORD),
    KIND(0, "JAVA PROFILE",
         "this is a heap dump of Java, not a trace of "
         "malloc"),
    KIND(0, "PERFILE2", "this is what perf recorded" RECORD),
    KIND(0, "bitfit image ",
         "this is a pool's image, one moment without "
         "events: bitfit map draws it"),
    KIND(0, "\x89PNG", "this is a picture (PNG), not a trace"),
    KIND(0, "\xFF\xD8\xFF", "this is a picture (JPEG), not a trace"),
    KIND(0, "GIF8", "this is a picture (GIF), not a trace"),
    KIND(0, "%PDF", "this is a PDF document, not a trace"),
    KIND(0, "<svg", "this is a picture (SVG), not a trace"),
    KIND(0, "<?xml", "this is XML, not a trace"),
    KIND(0, "<!doctype html", "this is a web page, not a trace"),
    KIND(0, "<!DOCTYPE html", "this is a web page, not a trace"),
    KIND(0, "SQLite format 3", "this is a database of SQLite, not a trace"),
    KIND(0, "#!", "this is a script, not a trace" RECORD),
    KIND(0, "PK\3\4", "this is a zip archive: unpack it first"),
    KIND(0,
         "\xFD"
         "7zXZ",
         "this is compressed with xz: unpack it with xz -d"),
    KIND(0, "BZh", "this is compressed with bzip2: unpack it with bzip2 -d"),
    KIND(0, "\4\x22\x4D\x18",
         "this is compressed with lz4: unpack it with "
         "lz4 -d"),
    KIND(0, "7z\xBC\xAF", "this is a 7z archive: unpack it first"),
    KIND(257, "ustar", "this is a tar archive: unpack it first"),
    KIND(0, "!<arch>", "this is a library of object files, not a trace"),
    KIND(0, "\xFF\xFE",
         "this is text in UTF-16: convert it with iconv -f "
         "UTF-16 -t UTF-8"),
    KIND(0, "\xFE\xFF",
         "this is text in UTF-16: convert it with iconv -f "
         "UTF-16 -t UTF-8"),
    KIND(0, "\x1F\x8B", "this is compressed twice: unpack it once"),
    KIND(0, "\x28\xB5\x2F\xFD", "this is compressed twice: unpack it once"),
    KIND(0, "\x1F\x9D",
         "this is compressed with compress: unpack it with gzip -d"),
    KIND(
        1, "\0",
        "this is text in UTF-16, or no text: convert it with iconv -f UTF-16LE "
        "-t UTF-8"),
    KIND(0, "{", "this is JSON, not a trace that bitfit reads" RECORD),
    KIND(0, "[", "this is JSON, not a trace that bitfit reads" RECORD),
};

/* The type is a number of two bytes, in the file's own order. */
static const char *elf_kind(const trace_input *input)
{
    const unsigned char *at = (const unsigned char *)input->at;
    enum { TYPE = EI_NIDENT };
    if (input->size < TYPE + 2)
        return "this is the beginning of a program, not a trace";
    bool low_first = at[EI_DATA] != ELFDATA2MSB;
    switch (low_first ? at[TYPE] | at[TYPE + 1] << 8
                      : at[TYPE] << 8 | at[TYPE + 1]) {
    case ET_CORE:
        return "this is a core file, a dead process' memory without the calls "
               "that led there: bitfit map draws its pool" RECORD;
    case ET_REL:
        return "this is an object file, not a trace" RECORD;
    default:
        return "this is a program or a library, not a trace" RECORD;
    }
}

const char *kind_of(const trace_input *input)
{
    if (input->size == 0)
        return input->cut != NULL ? input->cut : "the file is empty";
    if (input->size >= SELFMAG && memcmp(input->at, ELFMAG, SELFMAG) == 0)
        return elf_kind(input);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (input->size >= kinds[i].at + kinds[i].size &&
            memcmp(input->at + kinds[i].at, kinds[i].bytes, kinds[i].size) == 0)
            return kinds[i].what;
    }
    return "not a trace that bitfit reads: bitfit record, AOSP memory_replay "
           "text, heaptrack --raw, glibc mtrace, .rep, RMM's CSV, PyTorch "
           "snapshots";
}
