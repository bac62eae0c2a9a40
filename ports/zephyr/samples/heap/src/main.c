/* Two blocks, one of them given back, and what the pool says of it. */
#include <bitfit_zephyr.h>
#include <zephyr/sys/printk.h>

static bitfit_stats stats_of(bitfit_pool *pool)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    return stats;
}

int main(void)
{
    bitfit_pool *pool = bitfit_zephyr_heap();
    void *message = bitfit_alloc(pool, 100);
    void *reply = bitfit_alloc(pool, 40);
    printk("two blocks: %u bytes live\n", (unsigned)stats_of(pool).live);
    bitfit_free(pool, message);
    printk("one freed: %u bytes live, %u at most\n",
           (unsigned)stats_of(pool).live, (unsigned)stats_of(pool).peak_live);
    bitfit_free(pool, reply);
    return 0;
}
