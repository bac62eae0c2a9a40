#include "png_file.h"

#include <png.h>
#include <stdlib.h>

enum { PALETTE = 256, TABLE = 1 << 16 };

/* How often each colour occurs: an open-addressed table. */
typedef struct tally {
    uint32_t colour;
    uint32_t count;
    uint8_t index; /* in the palette */
} tally;

/* The colour's entry, or a free one; NULL if the table is full. */
static tally *find_tally(tally *table, uint32_t colour)
{
    uint32_t at = (colour * 0x9e3779b1u) >> 16;
    for (unsigned tries = 0; tries < TABLE; tries++) {
        tally *entry = &table[(at + tries) % TABLE];
        if (entry->count == 0 || entry->colour == colour)
            return entry;
    }
    return NULL;
}

static int commonest_first(const void *a, const void *b)
{
    uint32_t left = ((const tally *)a)->count;
    uint32_t right = ((const tally *)b)->count;
    return (left < right) - (left > right);
}

static int channel(uint32_t colour, unsigned shift)
{
    return (int)(colour >> shift & 0xff);
}

static uint8_t nearest(const uint32_t *palette, uint32_t colour)
{
    uint8_t best = 0;
    int least = INT32_MAX;
    for (int i = 0; i < PALETTE; i++) {
        int distance = 0;
        for (unsigned shift = 0; shift < 24; shift += 8) {
            int d = channel(palette[i], shift) - channel(colour, shift);
            distance += d * d;
        }
        if (distance < least) {
            least = distance;
            best = (uint8_t)i;
        }
    }
    return best;
}

/* Fills in the palette, and gives every colour its index. False if there are
 * more than TABLE colours, or memory is short. */
static bool count_colours(tally *table, const uint32_t *pixels, size_t count,
                          uint32_t *palette)
{
    for (size_t i = 0; i < count; i++) {
        tally *entry = find_tally(table, pixels[i]);
        if (entry == NULL)
            return false;
        entry->colour = pixels[i];
        entry->count++;
    }
    tally *sorted = malloc(TABLE * sizeof *sorted);
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < TABLE; i++)
        sorted[i] = table[i];
    qsort(sorted, TABLE, sizeof *sorted, commonest_first);
    for (size_t i = 0; i < PALETTE; i++)
        palette[i] = sorted[i].count != 0 ? sorted[i].colour : palette[0];
    free(sorted);
    for (size_t i = 0; i < TABLE; i++)
        table[i].index = nearest(palette, table[i].colour);
    return true;
}

static bool write_rows(png_structp png, png_infop info, tally *table,
                       const uint32_t *pixels, const uint32_t *palette,
                       unsigned width, unsigned height, png_bytep row)
{
    png_color colours[PALETTE];
    for (int i = 0; i < PALETTE; i++) {
        colours[i] = (png_color){(png_byte)channel(palette[i], 16),
                                 (png_byte)channel(palette[i], 8),
                                 (png_byte)channel(palette[i], 0)};
    }
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, colours, PALETTE);
    png_write_info(png, info);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++)
            row[x] = find_tally(table, pixels[y * width + x])->index;
        png_write_row(png, row);
    }
    png_write_end(png, info);
    return true;
}

/* libpng's own would print, too. */
static void go_back(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

bool png_file_write(FILE *file, const uint32_t *pixels, unsigned width,
                    unsigned height)
{
    uint32_t palette[PALETTE];
    tally *table = calloc(TABLE, sizeof *table);
    png_bytep row = malloc(width);
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, go_back, NULL);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    bool written =
        table != NULL && row != NULL && info != NULL &&
        count_colours(table, pixels, (size_t)width * height, palette);
    if (written) {
        png_init_io(png, file);
        png_set_compression_level(png, 9);
        written =
            write_rows(png, info, table, pixels, palette, width, height, row);
    }
    png_destroy_write_struct(&png, &info);
    free(row);
    free(table);
    return written;
}
