/* libcurl, loaded when it is first needed: the application's start does not wait for it and its forty libraries, and tracer and
 * guard never have it in memory. */
#pragma once

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

struct mw_err;

#define MW_CURL_FUNCTIONS(X) \
	X(easy_cleanup) \
	X(easy_getinfo) \
	X(easy_init) \
	X(easy_perform) \
	X(easy_recv) \
	X(easy_send) \
	X(easy_setopt) \
	X(easy_strerror) \
	X(global_init_mem) \
	X(multi_add_handle) \
	X(multi_assign) \
	X(multi_cleanup) \
	X(multi_info_read) \
	X(multi_init) \
	X(multi_remove_handle) \
	X(multi_setopt) \
	X(multi_socket_action) \
	X(slist_append) \
	X(slist_free_all)

// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration
#define MW_CURL_MEMBER(name) __typeof__(&curl_##name) name;
struct mw_curl {
	MW_CURL_FUNCTIONS(MW_CURL_MEMBER)
};
#undef MW_CURL_MEMBER

/* Its functions.  -ENOSYS when the library is not there or too old; err says which package brings it. */
int mw_curl_load(const struct mw_curl **ret_curl, struct mw_err *err);
