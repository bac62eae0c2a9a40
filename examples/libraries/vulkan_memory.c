/*
 * The device's memory in a pool of offsets: one vkAllocateMemory(), which
 * drivers allow some thousand times only, and buffers bound at places in it. It
 * needs no graphics card: Mesa's llvmpipe computes on the processor.
 *
 * - The granule is bufferImageGranularity: then buffers and images may be
 *   neighbours.
 * - Size and alignment are what vkGetBufferMemoryRequirements() says.
 * - An offset of 0 is a place like any other. BITFIT_NO_OFFSET is none.
 * - The pool never looks at the memory; it may be one that the processor cannot
 *   map.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <vulkan/vulkan.h>

#include <bitfit_offsets.h>

enum { BUFFERS = 6 };

#define HEAP_SIZE ((VkDeviceSize)1 << 20)

typedef struct device_heap {
    VkDevice device;
    VkDeviceMemory memory;
    bitfit_pool *pool;
    void *books;
} device_heap;

/* ----------------------------------------------------------------- the heap */

/* Reserves the place of a buffer and binds it there. */
static uint64_t bind_buffer(const device_heap *heap, VkBuffer buffer)
{
    VkMemoryRequirements need;
    vkGetBufferMemoryRequirements(heap->device, buffer, &need);
    uint64_t at =
        bitfit_aligned_alloc_offset(heap->pool, need.alignment, need.size);
    if (at != BITFIT_NO_OFFSET &&
        vkBindBufferMemory(heap->device, buffer, heap->memory, at) !=
            VK_SUCCESS) {
        bitfit_free_offset(heap->pool, at);
        at = BITFIT_NO_OFFSET;
    }
    return at;
}

static bool open_heap(device_heap *heap, VkDevice device, uint32_t type,
                      VkDeviceSize granularity)
{
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = HEAP_SIZE,
        .memoryTypeIndex = type,
    };
    bitfit_options options = {.granule = 256};
    if (granularity > options.granule) {
        options.granule = (size_t)granularity;
    }
    options.bookkeeping_size =
        bitfit_offsets_bookkeeping_size(HEAP_SIZE, &options);
    options.bookkeeping = malloc(options.bookkeeping_size);
    *heap = (device_heap){.device = device, .books = options.bookkeeping};
    heap->pool = bitfit_init_offsets(HEAP_SIZE, &options);
    return heap->pool != NULL &&
           vkAllocateMemory(device, &info, NULL, &heap->memory) == VK_SUCCESS;
}

static void close_heap(const device_heap *heap)
{
    vkFreeMemory(heap->device, heap->memory, NULL);
    bitfit_destroy(heap->pool);
    free(heap->books);
}

/* -------------------------------------------------------------- what uses it
 */

static VkBuffer make_buffer(VkDevice device, VkDeviceSize size)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = size,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
    };
    VkBuffer buffer = VK_NULL_HANDLE;
    vkCreateBuffer(device, &info, NULL, &buffer);
    return buffer;
}

static void put(const char *text, size_t length, void *file)
{
    fwrite(text, 1, length, file);
}

/* Every second buffer goes, and one that fits into a hole comes. */
static bool use_heap(const device_heap *heap)
{
    VkBuffer buffers[BUFFERS];
    uint64_t places[BUFFERS];
    bool bound = true;
    for (int i = 0; i < BUFFERS; i++) {
        buffers[i] = make_buffer(heap->device, 1000 * ((VkDeviceSize)i + 1));
        places[i] = bind_buffer(heap, buffers[i]);
        bound = bound && places[i] != BITFIT_NO_OFFSET;
    }
    for (int i = 1; i < BUFFERS; i += 2) {
        vkDestroyBuffer(heap->device, buffers[i], NULL);
        bitfit_free_offset(heap->pool, places[i]);
        buffers[i] = VK_NULL_HANDLE;
    }
    buffers[1] = make_buffer(heap->device, 1500);
    uint64_t again = bind_buffer(heap, buffers[1]);
    VkBuffer huge = make_buffer(heap->device, 2 * HEAP_SIZE);
    bool refused = bind_buffer(heap, huge) == BITFIT_NO_OFFSET;
    bitfit_print_offsets(heap->pool, put, stdout);
    vkDestroyBuffer(heap->device, huge, NULL);
    for (int i = 0; i < BUFFERS; i++) {
        vkDestroyBuffer(heap->device, buffers[i], NULL);
    }
    return bound && refused && again == places[1] &&
           bitfit_check(heap->pool) == 0;
}

/* ------------------------------------------------------------------ a device
 */

/* Which memory serves a buffer here. */
static uint32_t memory_type(VkDevice device)
{
    VkMemoryRequirements need;
    uint32_t type = 0;
    VkBuffer buffer = make_buffer(device, 1);
    vkGetBufferMemoryRequirements(device, buffer, &need);
    vkDestroyBuffer(device, buffer, NULL);
    while ((need.memoryTypeBits >> type & 1) == 0) {
        type++;
    }
    return type;
}

static VkDevice open_device(VkInstance instance, VkDeviceSize *granularity)
{
    uint32_t count = 1;
    VkPhysicalDevice gpu;
    VkPhysicalDeviceProperties properties;
    VkDevice device = VK_NULL_HANDLE;
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
    if (vkEnumeratePhysicalDevices(instance, &count, &gpu) < 0 || count == 0 ||
        vkCreateDevice(gpu, &info, NULL, &device) != VK_SUCCESS) {
        return VK_NULL_HANDLE;
    }
    vkGetPhysicalDeviceProperties(gpu, &properties);
    *granularity = properties.limits.bufferImageGranularity;
    return device;
}

int main(void)
{
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    };
    VkInstance instance;
    VkDeviceSize granularity;
    device_heap heap;
    if (vkCreateInstance(&info, NULL, &instance) != VK_SUCCESS) {
        fputs("there is no Vulkan\n", stderr);
        return 1;
    }
    VkDevice device = open_device(instance, &granularity);
    bool done = false;
    if (device != VK_NULL_HANDLE) {
        if (open_heap(&heap, device, memory_type(device), granularity)) {
            done = use_heap(&heap);
        }
        close_heap(&heap);
        vkDestroyDevice(device, NULL);
    }
    vkDestroyInstance(instance, NULL);
    puts(done ? "every buffer has its place" : "failed");
    return done ? 0 : 1;
}
