#include "api.h"

#include <stdlib.h>

void (**rw_api)(void);

// rw_attach finds the table of version API_VERSION and the environment of the process: creating it again gives the one that
// exists and counts it. A NULL table with a NULL status means that the library is too old.
handle rw_attach(void *get_api_base, handle *env) {
  struct base { void (**(*get_api)(uint32_t))(void); text (*version)(void); };
  const struct base *base = ((const struct base *(*)(void))get_api_base)();
  rw_api = base->get_api(API_VERSION);
  if (rw_api == NULL) return NULL;
  const int warnings = 2;
  return CALL(CreateEnv, handle, int, text, handle *)(warnings, "realword", env);
}
