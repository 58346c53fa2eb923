// What Realword calls of ONNX Runtime's C API, written for this package: the API is a table of function pointers to which new
// versions only append, so a function is known by its place in the table and its parameters. The places are checked by
// TestSlots against the header that comes with the Go binding. That header is not included, because cgo cannot be told where
// a module lies except by options that every go command would need.
#ifndef REALWORD_NATIVE_API_H
#define REALWORD_NATIVE_API_H

#include <stddef.h>
#include <stdint.h>

enum { API_VERSION = 29 };

enum slot {
  GetErrorCode = 1,
  GetErrorMessage = 2,
  CreateEnv = 3,
  CreateSession = 7,
  CreateSessionFromArray = 8,
  CreateSessionOptions = 10,
  SetOptimizedModelFilePath = 11,
  SetSessionExecutionMode = 13,
  EnableMemPattern = 16,
  DisableMemPattern = 17,
  EnableCpuMemArena = 18,
  DisableCpuMemArena = 19,
  SetSessionLogSeverityLevel = 22,
  SetSessionGraphOptimizationLevel = 23,
  SetIntraOpNumThreads = 24,
  SetInterOpNumThreads = 25,
  CreateRunOptions = 39,
  RunOptionsSetTerminate = 46,
  CreateTensorWithDataAsOrtValue = 49,
  GetTensorMutableData = 51,
  GetTensorElementType = 60,
  GetDimensionsCount = 61,
  GetDimensions = 62,
  GetTensorTypeAndShape = 65,
  CreateMemoryInfo = 68,
  AllocatorFree = 76,
  GetAllocatorWithDefaultOptions = 78,
  ReleaseStatus = 93,
  ReleaseMemoryInfo = 94,
  ReleaseSession = 95,
  ReleaseValue = 96,
  ReleaseRunOptions = 97,
  ReleaseTensorTypeAndShapeInfo = 99,
  ReleaseSessionOptions = 100,
  AddSessionConfigEntry = 130,
  RunWithBinding = 133,
  CreateIoBinding = 134,
  ReleaseIoBinding = 135,
  BindInput = 136,
  BindOutputToDevice = 138,
  GetBoundOutputValues = 140,
  AddRunConfigEntry = 165,
  GetTensorMemoryInfo = 194,
  SynchronizeBoundInputs = 202,
  SynchronizeBoundOutputs = 203,
  SessionOptionsAppendExecutionProvider_CUDA_V2 = 204,
  CreateCUDAProviderOptions = 205,
  UpdateCUDAProviderOptions = 206,
  ReleaseCUDAProviderOptions = 208,
  SessionOptionsAppendExecutionProvider = 216,
  MemoryInfoGetDeviceType = 225,
  GetKeyValuePairs = 298,
  RegisterExecutionProviderLibrary = 301,
  GetEpDevices = 303,
  SessionOptionsAppendExecutionProvider_V2 = 304,
  HardwareDevice_Type = 307,
  HardwareDevice_VendorId = 308,
  HardwareDevice_Vendor = 309,
  HardwareDevice_DeviceId = 310,
  HardwareDevice_Metadata = 311,
  EpDevice_EpName = 312,
  EpDevice_EpMetadata = 314,
  EpDevice_Device = 316,
  EpDevice_MemoryInfo = 374,
  Session_GetEpGraphAssignmentInfo = 407,
  EpAssignedSubgraph_GetEpName = 408,
  EpAssignedSubgraph_GetNodes = 409,
  EpAssignedNode_GetName = 410,
  EpAssignedNode_GetOperatorType = 412,
};

// Every object of the API is a pointer to something unknown; NULL is success where a status comes back.
typedef void *handle;
typedef const char *text;

// The table, set by rw_attach.
extern void (**rw_api)(void);

#define CALL(name, result, ...) ((result (*)(__VA_ARGS__))rw_api[name])

// Element types and modes of the API that Realword uses.
enum { FLOAT32 = 1, INT64 = 7, FLOAT16 = 10, BFLOAT16 = 16 };
enum { HARDWARE_GPU = 1, MEMORY_OF_CPU = 0, DEVICE_ALLOCATOR = 0, MEMORY_DEFAULT = 0 };

handle rw_attach(void *get_api_base, handle *env);

#endif
