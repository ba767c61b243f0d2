/* Addresses and connections. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/hash.h"
#include "sql/function.h"
#include "sql/functions/values.h"
#include "sql/world.h"

struct address {
	unsigned char bytes[16];
	unsigned size; /* 4 or 16 */
};

static bool parse(const char *text, struct address *ret)
{
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		ret->size = 4;
	else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		ret->size = 16;
	else
		return false;
	return true;
}

static void inet_aton_(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct address address;
	if (!mw_any_null(count, values) && parse(mw_value_of(values[0]).data, &address) && address.size == 4)
		sqlite3_result_int64(context, (sqlite3_int64)address.bytes[0] << 24 | address.bytes[1] << 16 |
						      address.bytes[2] << 8 | address.bytes[3]);
}

/* "ADDRESS/BITS", or an address alone. */
static bool parse_block(struct mw_value text, struct address *ret, unsigned *ret_bits)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = memchr(text.data, '/', text.size);
	size_t size = slash ? (size_t)(slash - text.data) : text.size;
	if (size >= sizeof(address))
		return false;
	memcpy(address, text.data, size);
	address[size] = '\0';
	if (!parse(address, ret))
		return false;
	*ret_bits = ret->size * 8;
	if (!slash)
		return true;
	char *end;
	if (slash[1] < '0' || slash[1] > '9')
		return false;
	unsigned long bits = strtoul(slash + 1, &end, 10);
	if (*end || bits > *ret_bits)
		return false;
	*ret_bits = (unsigned)bits;
	return true;
}

static bool is_in_block(const struct address *address, const struct address *block, unsigned bits)
{
	if (address->size != block->size || memcmp(address->bytes, block->bytes, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return !rest || (address->bytes[bits / 8] ^ block->bytes[bits / 8]) >> (8 - rest) == 0;
}

static void in_cidr_block(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct address address;
	struct address block;
	unsigned bits;
	if (mw_any_null(count, values))
		return;
	if (!parse_block(mw_value_of(values[0]), &block, &bits))
		sqlite3_result_error(context, "in_cidr_block: the block must be as in '10.0.0.0/8' or '2001:db8::/32'",
				     -1);
	else if (parse(mw_value_of(values[1]).data, &address))
		sqlite3_result_int(context, is_in_block(&address, &block, bits));
	/* Else NULL: '' is no address, but the remote side of a listening socket. */
}

/* ---- https://github.com/corelight/community-id-spec ---- */

enum {
	ICMP = 1,
	ICMP6 = 58,
};

/* The type of message that answers one of this type, which stands where the other port would; -1 for a message without an
 * answer, whose code stands there. */
static int answer_to(unsigned protocol, unsigned type)
{
	static const struct {
		unsigned char protocol, type, answer;
	} pairs[] = {
		{ICMP, 8, 0},      {ICMP, 13, 14},    {ICMP, 15, 16},    {ICMP, 10, 9},
		{ICMP, 17, 18},    {ICMP6, 128, 129}, {ICMP6, 133, 134}, {ICMP6, 135, 136},
		{ICMP6, 130, 131}, {ICMP6, 144, 145}, {ICMP6, 139, 140},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].protocol == protocol && pairs[i].type == type)
			return pairs[i].answer;
		else if (pairs[i].protocol == protocol && pairs[i].answer == type)
			return pairs[i].type;
	return -1;
}

struct connection {
	struct address source, destination;
	unsigned source_port, destination_port, protocol, seed;
};

static void swap(struct connection *connection)
{
	struct connection copy = *connection;
	connection->source = copy.destination;
	connection->destination = copy.source;
	connection->source_port = copy.destination_port;
	connection->destination_port = copy.source_port;
}

/* Both directions of a connection have the same id. */
static void put_in_order(struct connection *connection)
{
	bool is_one_way = false;
	if (connection->protocol == ICMP || connection->protocol == ICMP6) {
		int answer = answer_to(connection->protocol, connection->source_port);
		is_one_way = answer < 0;
		if (!is_one_way)
			connection->destination_port = (unsigned)answer;
	}
	const struct address *source = &connection->source;
	const struct address *destination = &connection->destination;
	size_t size = source->size < destination->size ? source->size : destination->size;
	int order = source->size == destination->size ? memcmp(source->bytes, destination->bytes, size)
						      : (int)source->size - (int)destination->size;
	if (!is_one_way && (order > 0 || (order == 0 && connection->source_port > connection->destination_port)))
		swap(connection);
}

static void add_short(struct mw_buf *buf, unsigned value)
{
	mw_buf_char(buf, (char)(value >> 8));
	mw_buf_char(buf, (char)value);
}

static void give_id(sqlite3_context *context, struct connection *connection)
{
	enum {
		MESSAGE_BYTES = 2 + 2 * 16 + 2 + 4,
		ID_BYTES = 40,
	};
	MW_AUTO(mw_buf) message = MW_BUF(MESSAGE_BYTES);
	MW_AUTO(mw_buf) id = MW_BUF(ID_BYTES);
	unsigned char hash[MW_HASH_BYTES];
	put_in_order(connection);
	add_short(&message, connection->seed);
	mw_buf_add(&message, connection->source.bytes, connection->source.size);
	mw_buf_add(&message, connection->destination.bytes, connection->destination.size);
	add_short(&message, connection->protocol << 8);
	add_short(&message, connection->source_port);
	add_short(&message, connection->destination_port);
	int size = mw_buf_status(&message) < 0 ? -1 : mw_hash(MW_HASH_SHA1, message.data, message.size, hash);
	if (size < 0) {
		sqlite3_result_error(context, "community_id_v1: libcrypto failed", -1);
		return;
	}
	mw_buf_str(&id, "1:");
	mw_base64_encode(hash, (size_t)size, &id);
	mw_result_buf(context, &id);
}

static bool number(sqlite3_value *value, unsigned most, unsigned *ret)
{
	sqlite3_int64 n = sqlite3_value_int64(value);
	if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || n < 0 || n > most)
		return false;
	*ret = (unsigned)n;
	return true;
}

static const char *take_connection(struct connection *connection, int count, sqlite3_value **values)
{
	enum {
		SOURCE,
		DESTINATION,
		SOURCE_PORT,
		DESTINATION_PORT,
		PROTOCOL,
		SEED,
	};
	if (!parse(mw_value_of(values[SOURCE]).data, &connection->source))
		return "the source is no IP address";
	if (!parse(mw_value_of(values[DESTINATION]).data, &connection->destination))
		return "the destination is no IP address";
	if (!number(values[SOURCE_PORT], UINT16_MAX, &connection->source_port))
		return "the port of the source is none";
	if (!number(values[DESTINATION_PORT], UINT16_MAX, &connection->destination_port))
		return "the port of the destination is none";
	if (!number(values[PROTOCOL], UINT8_MAX, &connection->protocol))
		return "the protocol is no number below 256";
	if (count > SEED && !number(values[SEED], UINT16_MAX, &connection->seed))
		return "the seed is no number below 65536";
	return NULL;
}

static void community_id_v1(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct connection connection = {.seed = 0};
	const char *complaint = take_connection(&connection, count, values);
	if (complaint)
		mw_sql_warn(mw_sql_function_world(context), "community_id_v1: %s", complaint);
	else
		give_id(context, &connection);
}

static void community_id_v1_strict(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct connection connection = {.seed = 0};
	const char *complaint = take_connection(&connection, count, values);
	if (complaint)
		sqlite3_result_error(context, complaint, -1);
	else
		give_id(context, &connection);
}

static const struct mw_sql_function functions[] = {
	{"inet_aton", "ADDRESS", 1, 1, "An IPv4 address as a number; NULL for what is none.", "inet_aton('1.0.1.5')",
	 "16777477", inet_aton_},
	{"in_cidr_block", "BLOCK, ADDRESS", 2, 2,
	 "Is the IPv4 or IPv6 ADDRESS within BLOCK? NULL for what is no address; a BLOCK that is none is an error.",
	 "in_cidr_block('10.0.0.0/26', '10.0.0.24')", "1", in_cidr_block},
	{"community_id_v1", "SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, PROTOCOL[, SEED]", 5, 6,
	 "The Community ID of a connection, as Zeek and Suricata give it; NULL, and a warning, when an argument is unfit.",
	 "community_id_v1('66.35.250.204', '128.232.110.120', 80, 34855, 6)",
	 "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", community_id_v1},
	{"community_id_v1_strict", "SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, PROTOCOL[, SEED]", 5, 6,
	 "The same; an unfit argument is an error.", "community_id_v1_strict('8.8.8.8', '192.168.1.52', 53, 54585, 17)",
	 "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", community_id_v1_strict},
	{0},
};

const struct mw_sql_family mw_family_network = {"Network", functions};
