/* Private keys: PEM around DER, or OpenSSH's own format. */
#include <stdlib.h>
#include <string.h>

#include "sql/ssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_ssh_key key;
	char *text = malloc(size + 1); /* it is written into */
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (mw_ssh_key_parse(text, &key) && (key.bits < 0 || !key.type || !key.group))
		abort();
	free(text);
	return 0;
}
