/* Loads the library that is named on the command line, uses it as a host would, and prints what
 * came back. Built for each machine that a test runs. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#include "fakepay.h"

#define BIND(name) \
  name##_fn *name##_ = (name##_fn *)dlsym(library, #name); \
  if (!name##_) return fail(dlerror())

typedef fakepay_provider *fakepay_new_fn(void);
typedef void fakepay_delete_fn(fakepay_provider *);
typedef int32_t fakepay_authorize_fn(const fakepay_provider *, const char *, uint64_t, char **);
typedef int32_t fakepay_complete_fn(const fakepay_provider *, const char *, char **);
typedef int32_t fakepay_methods_fn(char **);
typedef void fakepay_free_fn(char *);
typedef const char *fakepay_describe_fn(int32_t);

static int fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 2) return fail("usage: call_fakepay LIBRARY");
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library) return fail(dlerror());
  BIND(fakepay_new);
  BIND(fakepay_delete);
  BIND(fakepay_authorize);
  BIND(fakepay_complete);
  BIND(fakepay_methods);
  BIND(fakepay_free);
  BIND(fakepay_describe);

  char *text = NULL;
  if (fakepay_methods_(&text) != FAKEPAY_OK) return fail("no methods");
  printf("%s\n", text);
  char method[64];
  if (sscanf(text, "%63[^\t]", method) != 1) return fail("no method has an id");
  fakepay_free_(text);

  fakepay_provider *provider = fakepay_new_();
  char *code = NULL;
  int32_t status = fakepay_authorize_(provider, method, 100, &code);
  printf("authorize: %s\n", fakepay_describe_(status));
  for (int attempt = 0; attempt < 2; attempt++) {
    char *transaction = NULL;
    status = fakepay_complete_(provider, code, &transaction);
    printf("complete: %s\n", fakepay_describe_(status));
    fakepay_free_(transaction);
  }
  fakepay_free_(code);
  fakepay_delete_(provider);
  return 0;
}
