/* Where distributions keep the certificates they trust; libcurl itself knows only of the one it was built on. */
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/http.h"

static char own[MW_PATH_BYTES];

static const char *const files[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, distroless */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Amazon Linux, Fedora */
	"/etc/ssl/ca-bundle.pem",             /* SUSE */
	"/etc/ssl/cert.pem",                  /* Alpine, BSD */
	own,
};

void mw_http_set_tree(const char *tree)
{
	int n = snprintf(own, sizeof(own), "%s/certs/ca.pem", tree);
	if (n < 0 || (size_t)n >= sizeof(own))
		own[0] = '\0';
}

const char *mw_http_ca_file(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i][0] && access(files[i], R_OK) == 0)
			return files[i];
	return "";
}
