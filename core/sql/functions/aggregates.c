/* Statistics over the rows of a group.  NULL and what is no number do not count. */
#include <math.h>
#include <stdlib.h>

#include "sql/function.h"
#include "sql/functions/values.h"

/* ---- how far values are apart: Welford's way, which does not subtract large sums ---- */

struct spread {
	sqlite3_int64 count;
	double mean, squares;
};

static bool is_number(sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);
	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

static void add_to_spread(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	struct spread *spread = sqlite3_aggregate_context(context, sizeof(*spread));
	if (!spread || !is_number(values[0]))
		return;
	double value = sqlite3_value_double(values[0]);
	double difference = value - spread->mean;
	spread->mean += difference / (double)++spread->count;
	spread->squares += difference * (value - spread->mean);
}

static void give_spread(sqlite3_context *context, double (*function)(double))
{
	const struct spread *spread = sqlite3_aggregate_context(context, 0);
	if (spread && spread->count > 1)
		sqlite3_result_double(context, function(spread->squares / (double)(spread->count - 1)));
}

static double itself(double x)
{
	return x;
}

static void give_variance(sqlite3_context *context)
{
	give_spread(context, itself);
}

static void give_stdev(sqlite3_context *context)
{
	give_spread(context, sqrt);
}

/* ---- values in order ---- */

struct sample {
	double *values; /* of SQLite, whose memory is limited */
	size_t count, capacity;
	bool is_real; /* one of them was no integer */
};

static void add_to_sample(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	struct sample *sample = sqlite3_aggregate_context(context, sizeof(*sample));
	if (!sample || !is_number(values[0]))
		return;
	if (sample->count == sample->capacity) {
		size_t capacity = sample->capacity ? sample->capacity * 2 : 64;
		double *larger = sqlite3_realloc64(sample->values, capacity * sizeof(*larger));
		if (!larger) {
			sqlite3_result_error_nomem(context);
			return;
		}
		sample->values = larger;
		sample->capacity = capacity;
	}
	sample->is_real |= sqlite3_value_numeric_type(values[0]) == SQLITE_FLOAT;
	sample->values[sample->count++] = sqlite3_value_double(values[0]);
}

static int compare(const void *left, const void *right)
{
	double l = *(const double *)left;
	double r = *(const double *)right;
	return (l > r) - (l < r);
}

static void give_number(sqlite3_context *context, double number, bool is_real)
{
	if (!is_real && number == floor(number) && fabs(number) < 0x1p53)
		sqlite3_result_int64(context, (sqlite3_int64)number);
	else
		sqlite3_result_double(context, number);
}

/* The value that `part` of the others are below; between two, their mean. */
static double quantile(const struct sample *sample, double part)
{
	double at = part * (double)sample->count;
	size_t index = (size_t)at;
	if (index >= sample->count)
		index = sample->count - 1;
	bool is_between = at == floor(at) && index > 0;
	return is_between ? (sample->values[index - 1] + sample->values[index]) / 2 : sample->values[index];
}

/* The only one that is there more often than all others, or none. */
static bool most_frequent(const struct sample *sample, double *ret)
{
	size_t best = 0;
	bool is_alone = false;
	for (size_t i = 0, end; i < sample->count; i = end) {
		end = i + 1;
		while (end < sample->count && sample->values[end] == sample->values[i])
			end++;
		if (end - i >= best) {
			is_alone = end - i > best;
			best = end - i;
			*ret = is_alone ? sample->values[i] : *ret;
		}
	}
	return is_alone;
}

/* `part` below 0 for the most frequent one. */
static void give_from_sample(sqlite3_context *context, double part)
{
	struct sample *sample = sqlite3_aggregate_context(context, 0);
	double number = 0;
	if (!sample || !sample->count)
		return;
	qsort(sample->values, sample->count, sizeof(*sample->values), compare);
	if (part >= 0)
		give_number(context, quantile(sample, part), sample->is_real);
	else if (most_frequent(sample, &number))
		give_number(context, number, sample->is_real);
	sqlite3_free(sample->values);
	*sample = (struct sample){0};
}

static void give_mode(sqlite3_context *context)
{
	give_from_sample(context, -1);
}

static void give_median(sqlite3_context *context)
{
	give_from_sample(context, 0.5);
}

static void give_lower_quartile(sqlite3_context *context)
{
	give_from_sample(context, 0.25);
}

static void give_upper_quartile(sqlite3_context *context)
{
	give_from_sample(context, 0.75);
}

#define OF_1_TO_5(function) "(SELECT " function "(column1) FROM (VALUES (1), (2), (3), (4), (5), (5)))"

static const struct mw_sql_function functions[] = {
	{"stdev", "X", 1, 1, "Standard deviation of a sample.", "round(" OF_1_TO_5("stdev") ", 6)", "1.632993", NULL,
	 add_to_spread, give_stdev},
	{"variance", "X", 1, 1, "Its square.", "round(" OF_1_TO_5("variance") ", 6)", "2.666667", NULL, add_to_spread,
	 give_variance},
	{"mode", "X", 1, 1, "The most frequent value; NULL when several are.", OF_1_TO_5("mode"), "5", NULL,
	 add_to_sample, give_mode},
	{"median", "X", 1, 1, "The value in the middle.", OF_1_TO_5("median"), "3.5", NULL, add_to_sample, give_median},
	{"lower_quartile", "X", 1, 1, "The value that a quarter of all are below.", OF_1_TO_5("lower_quartile"), "2",
	 NULL, add_to_sample, give_lower_quartile},
	{"upper_quartile", "X", 1, 1, "The value that a quarter of all are above.", OF_1_TO_5("upper_quartile"), "5",
	 NULL, add_to_sample, give_upper_quartile},
	{0},
};

const struct mw_sql_family mw_family_aggregates = {"Statistics", functions};
