/* Whether header and library are of the version that was installed. */
#include <bitfit.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    puts(bitfit_version());
    return strcmp(bitfit_version(), BITFIT_VERSION) == 0 ? 0 : 1;
}
