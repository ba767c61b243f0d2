/* Slots of what events are about besides processes; included by decode.c alone. */
#pragma once

static void take_enum(struct decoder *decoder, const struct mw_json_token *token, const char *const *names, int count,
		      int *to)
{
	int value = token->type == MW_JSON_STRING ? find_text(names, count, token->text) : -1;
	if (value < 0)
		skip(decoder, token);
	else
		*to = value;
}

static void take_found_by(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	int value = 0;
	take_enum(decoder, token, mw_file_finder_names, MW_FILE_FINDERS, &value);
	((struct mw_file *)object)->found_by = (enum mw_file_finder)value;
}

static void take_attribution(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	int value = 0;
	take_enum(decoder, token, mw_attribution_names, MW_ATTRIBUTIONS, &value);
	((struct mw_file *)object)->attribution = (enum mw_attribution)value;
}

static void take_times(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	if (token->type == MW_JSON_NUMBER && token->number > 0)
		((struct mw_file *)object)->times = (unsigned)token->number;
	else
		skip(decoder, token);
}

static void take_nlink(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct mw_file *file = object;
	if (token->type != MW_JSON_NUMBER) {
		skip(decoder, token);
		return;
	}
	file->has_stat = true;
	file->nlink = (uint64_t)token->number;
}

static const struct slot file_slots[] = {
	{"path", BORROWED, AT(mw_file, path)},
	{"old_path", BORROWED, AT(mw_file, old_path)},
	{"inode", INT64, AT(mw_file, inode)},
	{"size", INT64, AT(mw_file, size)},
	{"mode", INT64, AT(mw_file, mode)},
	{"uid", INT64, AT(mw_file, uid)},
	{"gid", INT64, AT(mw_file, gid)},
	{"flags", INT64, AT(mw_file, open_flags)},
	{"write", BOOLEAN, AT(mw_file, is_write)},
	{"category", BORROWED, AT(mw_file, category)},
	{"found_by", CUSTOM, .take = take_found_by},
	{"attribution", CUSTOM, .take = take_attribution},
	{"same_as", BORROWED, AT(mw_file, same_as)},
	{"device", INT64, AT(mw_file, device)},
	{"directory", BOOLEAN, AT(mw_file, is_directory)},
	{"closed", BOOLEAN, AT(mw_file, is_closed)},
	{"times", CUSTOM, .take = take_times},
	{"cookie", INT32, AT(mw_file, cookie)},
	{"nlink", CUSTOM, .take = take_nlink},
	{"atime", TIME, AT(mw_file, atime_ns)},
	{"mtime", TIME, AT(mw_file, mtime_ns)},
	{"ctime", TIME, AT(mw_file, ctime_ns)},
	{"hashed", INT32, AT(mw_file, hashed)},
	{"md5", BORROWED, AT(mw_file, md5)},
	{"sha1", BORROWED, AT(mw_file, sha1)},
	{"sha256", BORROWED, AT(mw_file, sha256)},
	{0},
};

static void take_family(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	static const char *const names[] = {"other", "ipv4", "ipv6", "unix"};
	int value = 0;
	take_enum(decoder, token, names, MW_SOCKET_UNIX + 1, &value);
	((struct mw_socket *)object)->family = (enum mw_socket_family)value;
}

static void take_type(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	static const char *const names[] = {"stream", "dgram", "raw", "seqpacket"};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
	int value = token->type == MW_JSON_STRING ? find_text(names, 4, token->text) : -1;
	if (value < 0)
		skip(decoder, token);
	else
		((struct mw_socket *)object)->type = types[value];
}

static void take_protocol(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	static const char *const names[] = {"tcp", "udp", "icmp"};
	static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	int value = token->type == MW_JSON_STRING ? find_text(names, 3, token->text) : -1;
	if (value < 0)
		skip(decoder, token);
	else
		((struct mw_socket *)object)->protocol = protocols[value];
}

static const struct slot socket_slots[] = {
	{"family", CUSTOM, .take = take_family},
	{"type", CUSTOM, .take = take_type},
	{"protocol", CUSTOM, .take = take_protocol},
	{"local_address", CHARS, AT(mw_socket, local_address)},
	{"local_port", INT32, AT(mw_socket, local_port)},
	{"remote_address", CHARS, AT(mw_socket, remote_address)},
	{"remote_port", INT32, AT(mw_socket, remote_port)},
	{"path", CHARS, AT(mw_socket, path)},
	{"fd", INT32, AT(mw_socket, fd)},
	{"inode", INT64, AT(mw_socket, inode)},
	{0},
};

static void take_error(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	for (int code = 1; token->type == MW_JSON_STRING && code <= LAST_ERRNO; code++) {
		const char *name = mw_errno_name(code);
		if (name && strcmp(name, token->text) == 0) {
			((struct mw_call *)object)->result = -code;
			return;
		}
	}
	skip(decoder, token);
}

static void take_number(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct mw_call *call = object;
	if (token->type != MW_JSON_NUMBER) {
		skip(decoder, token);
		return;
	}
	call->number = token->number;
	call->has_number = true;
}

static void take_target(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct mw_call *call = object;
	if (token->type != MW_JSON_OBJECT || call->target)
		skip(decoder, token);
	else
		call->target = read_process(decoder, 1);
}

static const struct slot call_slots[] = {
	{"name", BORROWED, AT(mw_call, name)},
	{"result", INT64, AT(mw_call, result)},
	{"error", CUSTOM, .take = take_error},
	{"attempt", BOOLEAN, AT(mw_call, is_attempt)},
	{"incomplete", BOOLEAN, AT(mw_call, incomplete)},
	{"number", CUSTOM, .take = take_number},
	{"fd", INT32, AT(mw_call, fd)},
	{"text", BORROWED, AT(mw_call, text)},
	{"target_pid", INT32, AT(mw_call, target_pid)},
	{"target", CUSTOM, .take = take_target},
	{0},
};

static void take_reason(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	static const char *const names[] = {"tracer restarted", "tracer lost", "unexplained process ids"};
	int value = 0;
	take_enum(decoder, token, names, MW_GAP_REASONS, &value);
	((struct mw_gap *)object)->reason = (enum mw_gap_reason)value;
}

static const struct slot gap_slots[] = {
	{"reason", CUSTOM, .take = take_reason},
	{"duration_ms", INT64, AT(mw_gap, duration_ms)},
	{"missed", INT64, AT(mw_gap, missed)},
	{"found", INT64, AT(mw_gap, found)},
	{0},
};

#define IDENTITY(part, field) \
	{ \
#field, BORROWED, AT(mw_identity, part.field) \
	}

static const struct slot container_slots[] = {
	IDENTITY(container, name),
	IDENTITY(container, id),
	IDENTITY(container, image),
	IDENTITY(container, digest),
	{0},
};

static const struct slot ecs_slots[] = {
	IDENTITY(ecs, task_arn),          IDENTITY(ecs, task_id),     IDENTITY(ecs, cluster),
	IDENTITY(ecs, service),           IDENTITY(ecs, family),      IDENTITY(ecs, revision),
	IDENTITY(ecs, container_arn),     IDENTITY(ecs, region),      IDENTITY(ecs, account_id),
	IDENTITY(ecs, availability_zone), IDENTITY(ecs, launch_type), {0},
};

static void take_kind(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	enum mw_event_kind kind;
	if (token->type == MW_JSON_STRING && mw_event_kind_from_name(token->text, &kind) == 0)
		((struct mw_event *)object)->kind = kind;
	else
		skip(decoder, token);
}

static void take_phase(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	if (token->type == MW_JSON_STRING)
		((struct mw_event *)object)->is_startup = strcmp(token->text, "startup") == 0;
	else
		skip(decoder, token);
}

static void take_process(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct mw_event *event = object;
	if (token->type != MW_JSON_OBJECT || event->process)
		skip(decoder, token);
	else
		event->process = read_process(decoder, 0);
}

#define PART(name, slots, defaults) \
	static void take_##name(struct decoder *decoder, void *object, const struct mw_json_token *token) \
	{ \
		struct mw_event *event = object; \
		struct mw_decoded *out = decoder->out; \
		if (token->type != MW_JSON_OBJECT || event->name) { \
			skip(decoder, token); \
			return; \
		} \
		defaults; \
		event->name = &out->name; \
		read_object(decoder, slots, &out->name); \
	}

PART(file, file_slots, out->file = ((struct mw_file){.size = -1, .mode = -1, .uid = -1, .gid = -1}))
PART(socket, socket_slots, out->socket = ((struct mw_socket){.fd = -1}))
PART(call, call_slots, out->call = ((struct mw_call){.fd = -1}))
PART(gap, gap_slots, out->gap = ((struct mw_gap){.duration_ms = -1}))

static void take_identity(struct decoder *decoder, struct mw_event *event, const struct slot *slots,
			  const struct mw_json_token *token)
{
	if (token->type != MW_JSON_OBJECT) {
		skip(decoder, token);
		return;
	}
	event->identity = &decoder->out->identity;
	read_object(decoder, slots, &decoder->out->identity);
}

static void take_container(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	take_identity(decoder, object, container_slots, token);
}

static void take_ecs(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	take_identity(decoder, object, ecs_slots, token);
}

static const struct slot event_slots[] = {
	{"time", TIME, AT(mw_event, time_ns)},
	{"kind", CUSTOM, .take = take_kind},
	{"id", CHARS, AT(mw_event, id)},
	{"process", CUSTOM, .take = take_process},
	{"file", CUSTOM, .take = take_file},
	{"socket", CUSTOM, .take = take_socket},
	{"call", CUSTOM, .take = take_call},
	{"phase", CUSTOM, .take = take_phase},
	{"age_ms", INT64, AT(mw_event, age_ms)},
	{"sampled", BOOLEAN, AT(mw_event, is_sampled)},
	{"gap", CUSTOM, .take = take_gap},
	{"message", BORROWED, AT(mw_event, message)},
	{"container", CUSTOM, .take = take_container},
	{"ecs", CUSTOM, .take = take_ecs},
	{0},
};
