/* Pictures of few colours as small PNG files. */
#ifndef PNG_FILE_H
#define PNG_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Writes pixels (0x00RRGGBB, row by row) as a PNG with a palette: the 256
 * commonest colours, each other pixel the nearest of them. */
bool png_file_write(FILE *file, const uint32_t *pixels, unsigned width,
                    unsigned height);

#endif
