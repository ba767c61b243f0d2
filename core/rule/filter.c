#include "rule/filter.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "rule/store.h"

static void take_names(struct mw_names *names, const struct mw_process *process, bool of_executable)
{
	struct mw_program_name found[MW_PROGRAM_NAMES];
	names->is_known = true;
	names->count = process ? mw_program_names(process->image, of_executable, found) : 0;
	for (unsigned i = 0; i < names->count; i++)
		names->words[i] = (struct mw_word){
			.text = found[i].text,
			.bytes = found[i].bytes,
			.hash = mw_word_hash(MW_WORD_HASH, found[i].text, found[i].bytes),
		};
}

const struct mw_names *mw_subject_names(struct mw_subject *subject)
{
	if (!subject->names.is_known)
		take_names(&subject->names, subject->event->process, false);
	return &subject->names;
}

const struct mw_names *mw_subject_programs(struct mw_subject *subject)
{
	if (!subject->programs.is_known)
		take_names(&subject->programs, subject->event->process, true);
	return &subject->programs;
}

const struct mw_names *mw_subject_parents(struct mw_subject *subject)
{
	if (!subject->parents.is_known)
		take_names(&subject->parents, subject->event->process ? subject->event->process->parent : NULL, false);
	return &subject->parents;
}

/* Has the file got new contents, or a new name: made, written to and closed, renamed?  As moonwatch.match.written. */
static bool is_written(const struct mw_event *event)
{
	const struct mw_file *file = event->file;
	if (!file || file->is_directory)
		return false;
	switch (event->kind) {
	case MW_FILE_MODIFY:
		return file->is_closed || file->found_by != MW_FILE_BY_INOTIFY;
	case MW_FILE_CREATE:
		return file->found_by == MW_FILE_BY_CALL || file->size > 0;
	case MW_FILE_RENAME:
	case MW_FILE_LINK:
	case MW_FILE_SYMLINK:
		return true;
	default:
		return false;
	}
}

static uint32_t facts_of(const struct mw_event *event)
{
	const struct mw_process *process = event->process;
	const struct mw_image *image = process ? process->image : NULL;
	uint32_t facts = 0;
#define FACT(bit, condition) facts |= (condition) ? 1u << (bit) : 0u
	if (image) {
		FACT(MW_FACT_DELETED, image->is_deleted);
		FACT(MW_FACT_DROPPED, image->is_dropped);
		FACT(MW_FACT_FILELESS, image->is_fileless);
		FACT(MW_FACT_LATE, image->is_late);
		FACT(MW_FACT_MEMFD, image->is_memfd);
		FACT(MW_FACT_SCRIPT, image->script != NULL);
		FACT(MW_FACT_SECURE, image->is_secure);
	}
	FACT(MW_FACT_TTY, process && process->tty[0]);
	FACT(MW_FACT_SAMPLED, event->is_sampled);
	FACT(MW_FACT_STARTUP, event->is_startup);
	FACT(MW_FACT_FAILED, event->call && !event->call->is_attempt && event->call->result < 0);
	FACT(MW_FACT_WRITE, event->file && event->file->is_write);
	FACT(MW_FACT_WRITTEN, is_written(event));
	FACT(MW_FACT_SETUID, event->file && event->file->mode >= 0 && event->file->mode & (S_ISUID | S_ISGID));
#undef FACT
	return facts;
}

void mw_subject_begin(struct mw_subject *subject, const struct mw_event *event, struct mw_store *store)
{
	subject->event = event;
	subject->store = store;
	subject->facts = facts_of(event);
	subject->names.is_known = subject->programs.is_known = subject->parents.is_known = false;
}

int mw_filter_port(const struct mw_event *event)
{
	const struct mw_socket *socket = event->socket;
	if (!socket)
		return 0;
	return event->kind == MW_SOCKET_CONNECT || event->kind == MW_PROCESS_DUP_TO_STDIO ? socket->remote_port
											  : socket->local_port;
}

int mw_filter_path(const char *text, const struct mw_field *ret_path[MW_FILTER_PATH + 1])
{
	const struct mw_shape *shape = &mw_event_shape;
	char name[64];
	for (unsigned n = 0; n < MW_FILTER_PATH && shape; n++) {
		size_t length = strcspn(text, ".");
		if (length >= sizeof(name))
			return -ENOENT;
		memcpy(name, text, length);
		name[length] = '\0';
		ret_path[n] = mw_shape_field(shape, name);
		if (!ret_path[n])
			return -ENOENT;
		if (!text[length]) {
			ret_path[n + 1] = NULL;
			return 0;
		}
		if (ret_path[n]->type != MW_OBJECT)
			return -ENOENT;
		shape = ret_path[n]->shape;
		text += length + 1;
	}
	return -ENOENT;
}

void mw_filter_value(const struct mw_field *const *path, const void *object, struct mw_value *ret_value)
{
	for (; *path; path++) {
		ret_value->type = MW_NONE;
		(*path)->get(object, ret_value);
		if (!path[1] || ret_value->type != MW_OBJECT)
			break;
		object = ret_value->object;
	}
	if (path[0] && path[1])
		ret_value->type = MW_NONE; /* on the way there is nothing */
}

static bool has_any(const struct mw_patterns *patterns, const struct mw_names *names)
{
	for (unsigned i = 0; i < names->count; i++) {
		if (mw_patterns_has(patterns, &names->words[i]))
			return true;
	}
	for (int kind = MW_PATTERN_PREFIX; kind < MW_PATTERN_KINDS; kind++)
		if (patterns->counts[kind])
			for (unsigned i = 0; i < names->count; i++)
				if (mw_patterns_match(patterns, names->words[i].text, names->words[i].bytes))
					return true;
	return false;
}

static bool has_ancestor(const struct mw_patterns *patterns, const struct mw_process *process)
{
	for (unsigned n = 0; process && (process = process->parent) && n < MW_ANCESTORS; n++) {
		struct mw_names names;
		take_names(&names, process, false);
		if (has_any(patterns, &names))
			return true;
	}
	return false;
}

static bool text_fits(const struct mw_patterns *patterns, const char *text)
{
	return text && *text && mw_patterns_match(patterns, text, strlen(text));
}

static bool exe_fits(const struct mw_patterns *patterns, const struct mw_image *image)
{
	return image && (text_fits(patterns, image->exe) || text_fits(patterns, image->script) ||
			 text_fits(patterns, image->program));
}

static bool strings_fit(const struct mw_patterns *patterns, const char *text, size_t bytes, bool skip_first)
{
	for (size_t at = 0; at < bytes;) {
		size_t length = strnlen(text + at, bytes - at);
		if ((at || !skip_first) && mw_patterns_match(patterns, text + at, length))
			return true;
		at += length + 1;
	}
	return false;
}

static bool has_number(const struct mw_condition *condition, int64_t number)
{
	for (unsigned i = 0; i < condition->numbers_count; i++)
		if (condition->numbers[i] == number)
			return true;
	return false;
}

static bool address_fits(const struct mw_condition *condition, const struct mw_event *event)
{
	const struct mw_socket *socket = event->socket;
	struct mw_cidr address;
	if (!socket || mw_cidr_parse(socket->remote_address, &address) < 0)
		return false;
	for (unsigned i = 0; i < condition->networks_count; i++)
		if (mw_cidr_holds(&condition->networks[i], &address))
			return true;
	return false;
}

static bool field_fits(const struct mw_condition *condition, const struct mw_event *event)
{
	struct mw_value value = {.type = MW_NONE};
	mw_filter_value(condition->path, event, &value);
	switch (value.type) {
	case MW_NONE:
		return condition->has_empty;
	case MW_INT:
	case MW_BOOL:
		return has_number(condition, value.integer);
	case MW_TEXT:
		return mw_patterns_match(&condition->patterns, value.text, value.bytes);
	case MW_STRINGS:
		return strings_fit(&condition->patterns, value.text, value.bytes, false);
	default:
		return false;
	}
}

size_t mw_mark_key(const char *mark, size_t bytes, const struct mw_process *process, char *ret_key, size_t room)
{
	int64_t who[2] = {process->pid, process->start_ns};
	if (bytes + sizeof(who) > room)
		bytes = room - sizeof(who);
	memcpy(ret_key, who, sizeof(who));
	memcpy(ret_key + sizeof(who), mark, bytes);
	return bytes + sizeof(who);
}

static bool is_marked(const struct mw_condition *condition, const struct mw_subject *subject)
{
	if (!subject->store || !mw_store_has(subject->store, MW_STORE_MARK))
		return false;
	const struct mw_patterns *marks = &condition->patterns;
	char key[MW_STORE_KEY_BYTES];
	const struct mw_process *process = subject->event->process;
	for (unsigned n = 0; process && n <= MW_ANCESTORS; n++, process = process->parent)
		for (unsigned i = 0; i < marks->counts[MW_PATTERN_EXACT]; i++) {
			const struct mw_word *mark = &marks->lists[MW_PATTERN_EXACT][i];
			size_t bytes = mw_mark_key(mark->text, mark->bytes, process, key, sizeof(key));
			if (mw_store_find(subject->store, MW_STORE_MARK, 0, key, bytes, subject->event->time_ns))
				return true;
		}
	return false;
}

static bool condition_holds(const struct mw_condition *condition, struct mw_subject *subject)
{
	const struct mw_event *event = subject->event;
	const struct mw_process *process = event->process;
	const struct mw_image *image = process ? process->image : NULL;
	switch (condition->what) {
	case MW_WHERE_IS:
		return (subject->facts & condition->bits) == condition->bits;
	case MW_WHERE_UNLESS:
		return !(subject->facts & condition->bits);
	case MW_WHERE_LINEAGE:
		return process && process->past & condition->bits;
	case MW_WHERE_NOT_LINEAGE:
		return !process || !(process->past & condition->bits);
	case MW_WHERE_PORTS:
		return has_number(condition, mw_filter_port(event));
	case MW_WHERE_NAMES:
		return has_any(&condition->patterns, mw_subject_names(subject));
	case MW_WHERE_PROGRAMS:
		return has_any(&condition->patterns, mw_subject_programs(subject));
	case MW_WHERE_PARENTS:
		return has_any(&condition->patterns, mw_subject_parents(subject));
	case MW_WHERE_CATEGORIES:
		return event->file && text_fits(&condition->patterns, event->file->category);
	case MW_WHERE_CALLS:
		return event->call && text_fits(&condition->patterns, event->call->name);
	case MW_WHERE_PATHS:
		return event->file && text_fits(&condition->patterns, event->file->path);
	case MW_WHERE_EXES:
		return exe_fits(&condition->patterns, image);
	case MW_WHERE_FIELD:
		return field_fits(condition, event);
	case MW_WHERE_ARGUMENTS:
		return image && image->argv && strings_fit(&condition->patterns, image->argv, image->argv_bytes, true);
	case MW_WHERE_CMDLINE:
		return image && text_fits(&condition->patterns, image->cmdline);
	case MW_WHERE_ADDRESSES:
		return address_fits(condition, event);
	case MW_WHERE_ANCESTORS:
		return has_ancestor(&condition->patterns, process);
	case MW_WHERE_MARKED:
		return is_marked(condition, subject);
	case MW_WHERES:
		break;
	}
	return false;
}

bool mw_filter_holds(const struct mw_filter *filter, struct mw_subject *subject)
{
	for (unsigned i = 0; i < filter->count; i++)
		if (!condition_holds(&filter->conditions[i], subject))
			return false;
	return true;
}
