// A library between ONNX Runtime and the plugin of OpenVINO, which offers processors of Intel only, though what it runs on needs no more
// than AVX2: this one hands everything through and adds the processor where the plugin has left it out. `make deps DEVICE=openvino`
// compiles it beside the plugin.
#define _GNU_SOURCE // dladdr
#include "../onnxruntime_c_api.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#define PLUGIN "onnxruntime_providers_openvino_plugin.dll"
#define EXPORT __declspec(dllexport)
#else
#include <dlfcn.h>
#define PLUGIN "libonnxruntime_providers_openvino_plugin.so"
#define EXPORT __attribute__((visibility("default")))
#endif

static const char provider[] = "OpenVINOExecutionProvider";

static const OrtApi *api;
static CreateEpApiFactoriesFn create;
static ReleaseEpApiFactoryFn release;
static OrtStatus *(ORT_API_CALL *listed)(OrtEpFactory *, const OrtHardwareDevice *const *, size_t, OrtEpDevice **, size_t, size_t *);

// load finds the plugin's two functions in the folder of this library; the answer is NULL, or what is wrong.
static const char *load(void) {
  if (create != NULL) return NULL;
#ifdef _WIN32
  HMODULE self, plugin;
  if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, (const char *)&api, &self))
    return "the folder of OpenVINO's plugin is not known";
  wchar_t wide[4096];
  DWORD n = GetModuleFileNameW(self, wide, 4000);
  while (n > 0 && wide[n - 1] != L'\\') n--;
  const char *name = PLUGIN;
  do wide[n++] = (wchar_t)*name; while (*name++);
  plugin = LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (plugin == NULL) return "Windows cannot load " PLUGIN;
  create = (CreateEpApiFactoriesFn)(void *)GetProcAddress(plugin, "CreateEpFactories");
  release = (ReleaseEpApiFactoryFn)(void *)GetProcAddress(plugin, "ReleaseEpFactory");
#else
  Dl_info self;
  if (dladdr(&api, &self) == 0 || self.dli_fname == NULL) return "the folder of OpenVINO's plugin is not known";
  static char path[4096];
  const char *end = strrchr(self.dli_fname, '/');
  snprintf(path, sizeof path, "%.*s%s", end == NULL ? 0 : (int)(end + 1 - self.dli_fname), self.dli_fname, PLUGIN);
  void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) return dlerror();
  create = (CreateEpApiFactoriesFn)dlsym(plugin, "CreateEpFactories");
  release = (ReleaseEpApiFactoryFn)dlsym(plugin, "ReleaseEpFactory");
#endif
  return create == NULL || release == NULL ? PLUGIN " is no plugin of ONNX Runtime" : NULL;
}

static OrtStatus *ORT_API_CALL list(OrtEpFactory *f, const OrtHardwareDevice *const *hardware, size_t n, OrtEpDevice **out, size_t most,
                                    size_t *count) {
  OrtStatus *status = listed(f, hardware, n, out, most, count);
  if (status != NULL) return status;
  for (size_t i = 0; i < *count; i++)
    if (api->HardwareDevice_Type(api->EpDevice_Device(out[i])) == OrtHardwareDeviceType_CPU) return NULL;
  for (size_t i = 0; i < n; i++) {
    if (api->HardwareDevice_Type(hardware[i]) != OrtHardwareDeviceType_CPU || *count >= most) continue;
    OrtKeyValuePairs *known = NULL;
    api->CreateKeyValuePairs(&known);
    api->AddKeyValuePair(known, "ov_device", "CPU");
    status = api->GetEpApi()->CreateEpDevice(f, hardware[i], known, NULL, &out[*count]);
    api->ReleaseKeyValuePairs(known);
    if (status == NULL) ++*count;
    return status;
  }
  return NULL;
}

EXPORT OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const OrtLogger *logger, OrtEpFactory **out, size_t most,
                                    size_t *count) {
  api = base->GetApi(ORT_API_VERSION);
  if (api == NULL) return base->GetApi(1)->CreateStatus(ORT_FAIL, "this ONNX Runtime is older than the bridge to OpenVINO");
  const char *problem = load();
  if (problem != NULL) return api->CreateStatus(ORT_FAIL, problem);
  OrtStatus *status = create(name, base, logger, out, most, count);
  for (size_t i = 0; status == NULL && i < *count; i++) {
    if (strcmp(out[i]->GetName(out[i]), provider) != 0) continue;
    listed = out[i]->GetSupportedDevices;
    out[i]->GetSupportedDevices = list;
  }
  return status;
}

EXPORT OrtStatus *ReleaseEpFactory(OrtEpFactory *f) { return release(f); }
