/*
 * Vulkan in a pool: VkAllocationCallbacks for what the driver keeps on the
 * host. It needs no graphics card: Mesa's llvmpipe computes on the processor.
 *
 * - Pass the callbacks to each vkCreate, and the same ones to its vkDestroy.
 * - Requests have an alignment, and a block must keep it when it is resized. So
 *   this example moves blocks by hand. Vulkan does not pass the old size; the
 *   pool knows it.
 * - Drivers may allocate from any thread, so the pool needs its lock.
 * - Only what the specification calls host memory comes from the pool. A
 *   driver's compiler may still use malloc(), as Mesa's does.
 */
#include <string.h>

#include <vulkan/vulkan.h>

#include "in_pool.h"

static void *VKAPI_CALL allocate(void *pool, size_t size, size_t alignment,
                                 VkSystemAllocationScope scope)
{
    (void)scope;
    return bitfit_aligned_alloc(pool, alignment, size);
}

static void VKAPI_CALL release(void *pool, void *ptr)
{
    bitfit_free(pool, ptr);
}

static void *VKAPI_CALL resize(void *pool, void *ptr, size_t size,
                               size_t alignment, VkSystemAllocationScope scope)
{
    size_t old_size = bitfit_usable_size(pool, ptr); /* of NULL: 0 */
    void *moved = size == 0 ? NULL : allocate(pool, size, alignment, scope);
    if (moved != NULL && old_size > 0) {
        memcpy(moved, ptr, old_size < size ? old_size : size);
    }
    if (moved != NULL || size == 0) {
        release(pool, ptr);
    }
    return moved;
}

static VkResult use_device(VkInstance instance,
                           const VkAllocationCallbacks *in_pool)
{
    uint32_t count = 1;
    VkPhysicalDevice gpu;
    VkDevice device;
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    const VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
    };
    VkResult result = vkEnumeratePhysicalDevices(instance, &count, &gpu);
    if (result < 0 || count == 0) {
        return result < 0 ? result : VK_ERROR_INITIALIZATION_FAILED;
    }
    result = vkCreateDevice(gpu, &info, in_pool, &device);
    if (result == VK_SUCCESS) {
        vkDestroyDevice(device, in_pool);
    }
    return result;
}

static const char *work(bitfit_pool *pool)
{
    const VkAllocationCallbacks in_pool = {pool,    allocate, resize,
                                           release, NULL,     NULL};
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    };
    VkInstance instance;
    VkResult result = vkCreateInstance(&info, &in_pool, &instance);
    if (result == VK_SUCCESS) {
        result = use_device(instance, &in_pool);
        vkDestroyInstance(instance, &in_pool);
    }
    if (result == VK_SUCCESS) {
        return NULL;
    }
    return result == VK_ERROR_OUT_OF_HOST_MEMORY ? "VK_ERROR_OUT_OF_HOST_MEMORY"
                                                 : "another VkResult";
}

int main(void)
{
    const in_pool_example example = {
        .name = "Vulkan",
        .work = work,
        .enough = 4 << 20,
        .too_small = 32 << 10,
        .complaint = "VK_ERROR_OUT_OF_HOST_MEMORY",
    };
    return in_pool_run(&example);
}
