/* moonwatch patch: what it does is lua/moonwatch/patch/. */
#include "cli/command.h"
#include "script/tool.h"

static int run(int argc, char **argv)
{
	const char *tree = mw_tree();
	return *tree ? mw_script_run_module(tree, "moonwatch.patch", argc - 1, argv + 1) : MW_EXIT_NO;
}

const struct mw_command mw_command_patch = {
	.name = "patch",
	.usage = "[--mode=sidecar|volume|build] --image=IMAGE [OPTION]… FILE|-",
	.summary = "put the sensor in front of the containers of a task definition, template, Compose file or workload",
	.help = "FILE is a task definition of ECS (JSON, also the answer of describe-task-definition, or the list in Terraform's\n"
		"container_definitions), a template of CloudFormation, a Compose file, or workloads of Kubernetes: JSON or YAML. It is\n"
		"changed in place, where it must be and nowhere else; \"-\" reads standard input and writes standard output.\n\n"
		"  --mode=sidecar       the tree comes from a container that ends at once, by volumesFrom (the default)\n"
		"  --mode=volume        it is copied into a volume of its own by `moonwatch install`; Kubernetes: always\n"
		"  --mode=build         the images have it already\n"
		"  --image=IMAGE        the sensor's image\n"
		"  --name=NAME          of the sensor's container and volume: moonwatch\n"
		"  --include=NAME, --exclude=NAME\n"
		"                       which containers; * is anything; again for more\n"
		"  --env=NAME=VALUE     a variable for the sensor, unless it is set; again for more\n"
		"  --secret=REFERENCE   the same as --env=MOONWATCH_ENROLL_SECRET=REFERENCE\n"
		"  --image-config=[NAME=]FILE\n"
		"                       what an image runs (docker inspect IMAGE); NAME is a container or an image\n"
		"  --offline            do not ask registries what images run\n"
		"  --dry-run            show what would change, as a diff\n"
		"  --undo               take out again what was put in\n"
		"  -o, --output=FILE    write there instead\n\n"
		"What an image runs is asked of its registry when neither the file nor an --image-config says it; passwords are those\n"
		"of `docker login`, for ECR those of the AWS credentials in the environment.\n\n"
		"Exit status: 0; 1 when a container cannot be wrapped safely, or a file cannot be read or written: then nothing\n"
		"was changed; 2 for wrong arguments.\n",
	.run = run,
};
