/* Messages of alerts: text with {fields} of the event, such as "{process.parent.name} started {process.cmdline}".
 * "{{" and "}}" stand for braces. */
#pragma once

struct mw_buf;
struct mw_err;
struct mw_event;

/* -EINVAL, with the reason, when a field is none of an event's or a brace is not closed. */
int mw_message_check(const char *text, struct mw_err *err);

/* Append the message.  Values are made printable and cut; an absent one is "?". */
void mw_message_render(struct mw_buf *out, const char *text, const struct mw_event *event);
