#ifndef STAND_IN_PRINTK_H
#define STAND_IN_PRINTK_H

#include <stdio.h>

#define printk(...) (void)printf(__VA_ARGS__)

#endif
