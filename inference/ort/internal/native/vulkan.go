package native

/*
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

typedef const char *text;

// The few functions of Vulkan that name the devices, by the types of its ABI.
typedef void *(*vk_address)(void *instance, text name);
typedef struct { int32_t type; const void *next; text application; uint32_t application_version; text engine; uint32_t engine_version, api; } vk_application;
typedef struct { int32_t type; const void *next; uint32_t flags; const vk_application *application; uint32_t layers; const text *layer_names; uint32_t extensions; const text *extension_names; } vk_instance;
typedef struct { uint32_t api, driver, vendor, device; int32_t kind; char name[256]; uint64_t rest[128]; } vk_properties; // longer than any version's
typedef struct { int32_t type; void *next; int32_t id; char name[256], info[256]; uint8_t conformance[4]; } vk_driver;
typedef struct { int32_t type; void *next; vk_properties properties; } vk_properties2;
typedef struct { uint64_t size; uint32_t flags; } vk_heap;
typedef struct { uint32_t types; struct { uint32_t flags, heap; } type[32]; uint32_t heaps; vk_heap heap[16]; } vk_memory;

typedef struct { int kind; uint32_t vendor, device; uint64_t memory; char name[256], driver[256], version[256]; } adapter;

enum { ADAPTERS = 16 };

// vulkan_adapters fills list and returns how many there are, or Vulkan's error (below 0).
static int vulkan_adapters(void *get_address, adapter *list) {
  vk_address address = (vk_address)get_address;
  int (*create)(const vk_instance *, const void *, void **) = (int (*)(const vk_instance *, const void *, void **))address(NULL, "vkCreateInstance");
  if (create == NULL) return -3;
  vk_application application = {0, NULL, "realword", 0, NULL, 0, 1u << 22 | 1u << 12}; // Vulkan 1.1
  vk_instance wanted = {1, NULL, 0, &application, 0, NULL, 0, NULL};
  void *instance = NULL;
  int code = create(&wanted, NULL, &instance);
  if (code != 0) return code;
  void (*destroy)(void *, const void *) = (void (*)(void *, const void *))address(instance, "vkDestroyInstance");
  int (*enumerate)(void *, uint32_t *, void **) = (int (*)(void *, uint32_t *, void **))address(instance, "vkEnumeratePhysicalDevices");
  void (*properties)(void *, vk_properties2 *) = (void (*)(void *, vk_properties2 *))address(instance, "vkGetPhysicalDeviceProperties2");
  void (*memory)(void *, vk_memory *) = (void (*)(void *, vk_memory *))address(instance, "vkGetPhysicalDeviceMemoryProperties");
  uint32_t n = ADAPTERS;
  void *devices[ADAPTERS];
  code = enumerate == NULL || properties == NULL || memory == NULL ? -3 : enumerate(instance, &n, devices);
  for (uint32_t i = 0; code >= 0 && i < n; i++) {
    vk_driver driver = {1000196000, NULL};
    vk_properties2 p = {1000059001, &driver};
    vk_memory m = {0};
    properties(devices[i], &p);
    memory(devices[i], &m);
    adapter *a = &list[i];
    a->kind = p.properties.kind, a->vendor = p.properties.vendor, a->device = p.properties.device;
    memcpy(a->name, p.properties.name, sizeof a->name);
    memcpy(a->driver, driver.name, sizeof a->driver);
    memcpy(a->version, driver.info, sizeof a->version);
    a->name[255] = a->driver[255] = a->version[255] = 0;
    for (uint32_t h = 0; h < m.heaps && h < 16; h++) if (m.heap[h].flags & 1) a->memory += m.heap[h].size; // the device's own
  }
  if (destroy != NULL) destroy(instance, NULL);
  return code < 0 ? code : (int)n;
}
*/
import "C"

import "fmt"

// Adapter is a device as Vulkan names it.
type Adapter struct {
	Name, Driver     string
	Kind             int // VkPhysicalDeviceType
	Vendor, DeviceID uint32
	Memory           uint64 // of its own, bytes
}

// VulkanAdapters asks a Vulkan loader for its devices, in its order. It starts every driver that is installed, which a broken one
// may not survive: call it in a child process.
func VulkanAdapters(loader string) ([]Adapter, error) {
	address, err := symbol(loader, "vkGetInstanceProcAddr")
	if err != nil {
		return nil, err
	}
	var raw [C.ADAPTERS]C.adapter
	n := int(C.vulkan_adapters(address, &raw[0]))
	const incompatibleDriver = -9
	if n == incompatibleDriver {
		return nil, nil // the loader's way to say that there is none
	}
	if n < 0 {
		return nil, fmt.Errorf("the Vulkan driver answers with error %d", n)
	}
	list := make([]Adapter, n)
	for i := range list {
		a := &raw[i]
		list[i] = Adapter{
			Name: C.GoString(&a.name[0]), Driver: C.GoString(&a.driver[0]), Kind: int(a.kind), Vendor: uint32(a.vendor),
			DeviceID: uint32(a.device), Memory: uint64(a.memory),
		}
		if version := C.GoString(&a.version[0]); version != "" {
			list[i].Driver += " " + version
		}
	}
	return list, nil
}
