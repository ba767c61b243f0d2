#include "sql/pem.h"

#include <stddef.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"

bool mw_pem_next(const char **at, struct mw_buf *der)
{
	static const char *const begins[] = {"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----",
					     "-----BEGIN X509 CERTIFICATE-----"};
	while (*at) {
		const char *mark = strstr(*at, "-----BEGIN ");
		const char *body = NULL;
		for (size_t i = 0; mark && i < sizeof(begins) / sizeof(*begins); i++)
			if (strncmp(mark, begins[i], strlen(begins[i])) == 0)
				body = mark + strlen(begins[i]);
		const char *end = mark ? strstr(body ? body : mark + 1, "-----") : NULL;
		*at = end ? end + 5 : NULL;
		mw_buf_clear(der);
		if (body && end && mw_base64_decode(body, (size_t)(end - body), der) == 0 && der->size)
			return true;
	}
	return false;
}
