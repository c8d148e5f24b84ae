/* A fake payments provider.
 *
 * Text passed in is UTF-8, ends with a NUL and is only borrowed for the call.
 * Text passed out belongs to the caller, who gives it back to fakepay_free();
 * C's free() must not be used on it. A call that fails sets it to NULL.
 * A provider may be used from several threads at once.
 */
#ifndef FAKEPAY_H
#define FAKEPAY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended. */
enum fakepay_status {
  FAKEPAY_OK = 0,
  FAKEPAY_NULL_ARGUMENT = 1,
  FAKEPAY_INVALID_TEXT = 2,      /* not UTF-8 */
  FAKEPAY_UNKNOWN_METHOD = 3,
  FAKEPAY_EMPTY_AMOUNT = 4,
  FAKEPAY_DECLINED = 5,          /* above the method's limit */
  FAKEPAY_UNKNOWN_CODE = 6,
  FAKEPAY_ALREADY_COMPLETED = 7,
  FAKEPAY_INTERNAL = 8           /* a defect of the provider itself */
};

typedef struct fakepay_provider fakepay_provider;

/* Creates a provider that has authorized nothing yet. */
fakepay_provider *fakepay_new(void);

/* Ends a provider that no other thread uses. NULL is allowed. */
void fakepay_delete(fakepay_provider *provider);

/* Authorizes an amount in minor units. *code receives the authorization's code. */
int32_t fakepay_authorize(const fakepay_provider *provider, const char *method,
                          uint64_t amount, char **code);

/* Completes an authorization, once. *transaction receives the transaction's id. */
int32_t fakepay_complete(const fakepay_provider *provider, const char *code,
                         char **transaction);

/* Lists the methods, one a line: id, label and limit in minor units, separated by tabs. */
int32_t fakepay_methods(char **methods);

/* Gives a text back. NULL is allowed. */
void fakepay_free(char *text);

/* Puts a status into words. The text is static and is never given back. */
const char *fakepay_describe(int32_t status);

#ifdef __cplusplus
}
#endif

#endif
