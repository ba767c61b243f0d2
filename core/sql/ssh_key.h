/* What kind of private key a text is: PEM (PKCS #1, #8, SEC 1) and OpenSSH's own format.  The private numbers are not looked at. */
#pragma once

#include <stdbool.h>

struct mw_ssh_key {
	bool is_encrypted;
	const char *type;  /* rsa, dsa, ec, ed25519; "" when it is not to be seen */
	const char *group; /* of ec, a curve by OpenSSL's name; else "" */
	int bits;          /* 0 when it is not to be seen */
	int security_bits;
};

/* False when there is no private key in it.  `text` ends in NUL, and is written into. */
bool mw_ssh_key_parse(char *text, struct mw_ssh_key *ret);
