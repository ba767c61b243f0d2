/* Mathematics: what SQLite lacks, or does otherwise than osquery. */
#include <math.h>

#include "sql/function.h"
#include "sql/functions/values.h"

static void of_double(sqlite3_context *context, sqlite3_value *value, double (*function)(double))
{
	if (!mw_is_null(value))
		sqlite3_result_double(context, function(sqlite3_value_double(value))); /* not a number becomes NULL */
}

static void natural_log(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	/* Of 0 it is no number either, though log() says -infinity. */
	if (!mw_is_null(values[0]) && sqlite3_value_double(values[0]) > 0)
		of_double(context, values[0], log);
}

static double cotangent(double x)
{
	return 1 / tan(x);
}

static void cot(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	of_double(context, values[0], cotangent);
}

static void square(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_int64 product;
	if (sqlite3_value_numeric_type(values[0]) == SQLITE_INTEGER &&
	    !__builtin_mul_overflow(sqlite3_value_int64(values[0]), sqlite3_value_int64(values[0]), &product))
		sqlite3_result_int64(context, product);
	else if (!mw_is_null(values[0]))
		sqlite3_result_double(context, sqlite3_value_double(values[0]) * sqlite3_value_double(values[0]));
}

/* An integer, as far as integers go. */
static void to_integer(sqlite3_context *context, sqlite3_value *value, double (*rounding)(double))
{
	if (mw_is_null(value))
		return;
	if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER) {
		sqlite3_result_int64(context, sqlite3_value_int64(value));
		return;
	}
	double rounded = rounding(sqlite3_value_double(value));
	if (rounded >= -0x1p63 && rounded < 0x1p63)
		sqlite3_result_int64(context, (sqlite3_int64)rounded);
	else
		sqlite3_result_double(context, rounded);
}

static void ceiling(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	to_integer(context, values[0], ceil);
}

static void floor_(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	to_integer(context, values[0], floor);
}

static const struct mw_sql_function functions[] = {
	{"acos", "X", 1, 1, "Arc cosine, in radians.", "acos(1)", "0.0", NULL},
	{"asin", "X", 1, 1, "Arc sine, in radians.", "round(asin(0.5), 6)", "0.523599", NULL},
	{"atan", "X", 1, 1, "Arc tangent, in radians.", "round(atan(0.5), 6)", "0.463648", NULL},
	{"atan2", "Y, X", 2, 2, "The angle of a point, in radians.", "round(atan2(1, 1), 6)", "0.785398", NULL},
	{"ceil", "X", 1, 1, "The next integer above.", "ceil(1.2)", "2", ceiling},
	{"ceiling", "X", 1, 1, "The same.", "ceiling(-1.2)", "-1", ceiling},
	{"cos", "X", 1, 1, "Cosine of radians.", "cos(0)", "1.0", NULL},
	{"cot", "X", 1, 1, "Cotangent of radians.", "round(cot(1), 6)", "0.642093", cot},
	{"degrees", "X", 1, 1, "Radians as degrees.", "degrees(pi())", "180.0", NULL},
	{"exp", "X", 1, 1, "e to the power of X.", "exp(0)", "1.0", NULL},
	{"floor", "X", 1, 1, "The next integer below.", "floor(-1.2)", "-2", floor_},
	{"ln", "X", 1, 1, "Natural logarithm; NULL for 0 and less.", "ln(1)", "0.0", NULL},
	{"log", "X", 1, 1, "Natural logarithm, as in osquery; NULL for 0 and less.", "round(log(107372805120), 4)",
	 "25.3996", natural_log},
	{"log10", "X", 1, 1, "Logarithm to the base 10.", "log10(1000)", "3.0", NULL},
	{"log2", "X", 1, 1, "Logarithm to the base 2.", "log2(8)", "3.0", NULL},
	{"mod", "X, Y", 2, 2, "The rest of a division, also of fractions.", "mod(7.5, 2)", "1.5", NULL},
	{"pi", "", 0, 0, "The number.", "round(pi(), 6)", "3.141593", NULL},
	{"pow", "X, Y", 2, 2, "X to the power of Y.", "pow(2, 10)", "1024.0", NULL},
	{"power", "X, Y", 2, 2, "The same.", "power(2, 0.5) = sqrt(2)", "1", NULL},
	{"radians", "X", 1, 1, "Degrees as radians.", "radians(180) = pi()", "1", NULL},
	{"round", "X[, DIGITS]", 1, 2, "Rounded, to so many digits behind the point.", "round(2.345, 1)", "2.3", NULL},
	{"sign", "X", 1, 1, "-1, 0 or 1.", "sign(-3)", "-1", NULL},
	{"sin", "X", 1, 1, "Sine of radians.", "round(sin(30), 6)", "-0.988032", NULL},
	{"sqrt", "X", 1, 1, "Square root; NULL of what is below 0.", "sqrt(16)", "4.0", NULL},
	{"square", "X", 1, 1, "X times X.", "square(12)", "144", square},
	{"tan", "X", 1, 1, "Tangent of radians.", "tan(0)", "0.0", NULL},
	{"trunc", "X", 1, 1, "Without what is behind the point.", "trunc(-1.9)", "-1.0", NULL},
	{0},
};

const struct mw_sql_family mw_family_math = {"Mathematics", functions};
