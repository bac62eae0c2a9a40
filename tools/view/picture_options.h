/* What a caller says of a picture. */
#ifndef PICTURE_OPTIONS_H
#define PICTURE_OPTIONS_H

typedef struct picture_options {
    const char *path; /* .svg is SVG, else PNG */
    const char *title;
    unsigned width; /* pixels */
    unsigned height;
} picture_options;

enum { PICTURE_SIDE_MIN = 320, PICTURE_SIDE_MAX = 8192 };

#endif
