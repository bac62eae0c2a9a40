/* The same as examples/board, for the serial monitor. */
#include <bitfit.h>

static unsigned char memory[4096] __attribute__((aligned(16)));

extern "C" void bitfit_trap(const bitfit_misuse *misuse)
{
    Serial.print(misuse->call);
    Serial.print(": ");
    Serial.println(bitfit_misuse_name(misuse->kind));
}

void setup()
{
    Serial.begin(115200);
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    void *message = bitfit_alloc(pool, 100);
    bitfit_alloc(pool, 40);
    bitfit_free(pool, message);
    bitfit_free(pool, message);

    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    Serial.print((unsigned long)stats.live);
    Serial.println(" bytes in use");
}

void loop()
{
}
