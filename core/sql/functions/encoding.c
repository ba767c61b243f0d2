/* Base64. */
#include "base/base64.h"
#include "base/cleanup.h"
#include "sql/function.h"
#include "sql/functions/values.h"

static void encode(sqlite3_context *context, struct mw_value value)
{
	MW_AUTO(mw_buf) encoded = MW_BUF(MW_VALUE_BYTES);
	mw_base64_encode(value.data, value.size, &encoded);
	mw_result_buf(context, &encoded);
}

static void to_base64(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (!mw_any_null(count, values))
		encode(context, mw_value_of(values[0]));
}

static void conditional_to_base64(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value value = mw_value_of(values[0]);
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] < ' ' || value.data[i] > '~') {
			encode(context, value);
			return;
		}
	mw_result_bytes(context, value.data, value.size);
}

static void from_base64(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value value = mw_value_of(values[0]);
	MW_AUTO(mw_buf) decoded = MW_BUF(MW_VALUE_BYTES);
	if (mw_base64_decode(value.data, value.size, &decoded) < 0)
		mw_result_bytes(context, "", 0);
	else
		mw_result_buf(context, &decoded);
}

static const struct mw_sql_function functions[] = {
	{"to_base64", "VALUE", 1, 1, "A text or blob in Base64.", "to_base64('CPU0')", "Q1BVMA==", to_base64},
	{"from_base64", "TEXT", 1, 1, "What TEXT is Base64 of; empty when it is none.", "from_base64('Q1BVMA==')",
	 "CPU0", from_base64},
	{"conditional_to_base64", "VALUE", 1, 1, "In Base64 when it holds anything but printable ASCII, else as it is.",
	 "conditional_to_base64('CPU0')", "CPU0", conditional_to_base64},
	{0},
};

const struct mw_sql_family mw_family_encoding = {"Encoding", functions};
