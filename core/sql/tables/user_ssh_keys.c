#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/ssh_key.h"
#include "sql/table.h"

enum {
	UID,
	PATH,
	ENCRYPTED,
	KEY_TYPE,
	KEY_GROUP_NAME,
	KEY_LENGTH,
	KEY_SECURITY_BITS,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_USER,
		 "Whose key it is; without a value the current user's"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX, "File of the private key"},
	[ENCRYPTED] = {"encrypted", MW_SQL_INTEGER, 0, "1 when it asks for a passphrase"},
	[KEY_TYPE] = {"key_type", MW_SQL_TEXT, 0, "rsa, dsa, ec or ed25519; empty when that is not to be seen"},
	[KEY_GROUP_NAME] = {"key_group_name", MW_SQL_TEXT, 0, "Curve of an ec key"},
	[KEY_LENGTH] = {"key_length", MW_SQL_INTEGER, 0, "Bits of the key; NULL when that is not to be seen"},
	[KEY_SECURITY_BITS] = {"key_security_bits", MW_SQL_INTEGER, 0,
			       "Bits of a symmetric key of the same strength: NIST SP 800-57"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

enum {
	KEY_BYTES = 64 << 10
};

static int add_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
		    struct mw_rows *rows)
{
	MW_AUTO(mw_buf) text = MW_BUF(KEY_BYTES);
	struct mw_ssh_key key;
	(void)mw_buf_reserve(&text, KEY_BYTES); /* so that no piece of it stays behind when the text grows */
	int r = mw_sql_read_own(place, path, user, &text);
	bool is_key = r == 0 && text.data && mw_ssh_key_parse(text.data, &key);
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	if (!is_key || (r = mw_rows_add(rows)) < 0)
		return is_key ? r : 0;
	mw_rows_int(rows, UID, user->uid);
	mw_rows_string(rows, PATH, path);
	mw_rows_int(rows, ENCRYPTED, key.is_encrypted);
	mw_rows_string(rows, KEY_TYPE, key.type);
	mw_rows_string(rows, KEY_GROUP_NAME, key.group);
	if (key.bits)
		mw_rows_int(rows, KEY_LENGTH, key.bits);
	if (key.security_bits)
		mw_rows_int(rows, KEY_SECURITY_BITS, key.security_bits);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

static int add_folder(const struct mw_sql_place *place, const struct mw_user *user, const char *folder,
		      struct mw_rows *rows)
{
	MW_AUTO(mw_sql_names) names;
	int r = 0;
	(void)mw_sql_names_init(&names, place, folder);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[MW_PATH_BYTES];
		if (mw_sql_join(path, folder, names.name[i]))
			r = add_file(place, user, path, rows);
	}
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const folders[] = {".ssh", NULL};
	(void)err;
	return mw_sql_each_home(scan, UID, PID_WITH_NAMESPACE, folders, add_folder, rows);
}

const struct mw_sql_table mw_table_user_ssh_keys = {
	.name = "user_ssh_keys",
	.doc = "Private keys in homes; of a key only what kind it is.",
	.source = "~/.ssh",
	.example = "SELECT username, path, key_type FROM users JOIN user_ssh_keys USING (uid) WHERE encrypted = 0",
	.columns = columns,
	.fill = fill,
};
