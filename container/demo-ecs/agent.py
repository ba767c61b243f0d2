"""What ECS serves a task on 169.254.170.2: its metadata, version 4, and the credentials of its role.

The answers are those of a real task on Fargate (tests/fixtures/ecs-metadata), with the values of ours in their places.
"""
import copy
import http.server
import json
import pathlib
import secrets
import threading
import time
import uuid

SAMPLE = pathlib.Path(__file__).parents[2] / "tests/fixtures/ecs-metadata/v4-fargate-task-promexporter-2025.json"
ADDRESS = "169.254.170.2"


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}Z"


class Agent:
    def __init__(self, definition, region, cluster, service, address):
        account = definition["taskDefinitionArn"].split(":")[4]
        self.region, self.service = region, service
        self.task_id = secrets.token_hex(16)
        self.arn = f"arn:aws:ecs:{region}:{account}:task/{cluster}/{self.task_id}"
        self.prefix = f"arn:aws:ecs:{region}:{account}:"
        self.cluster = f"{self.prefix}cluster/{cluster}"
        self.definition, self.address = definition, address
        self.sample = json.loads(SAMPLE.read_text())
        self.containers = {}  # endpoint id -> container object
        self.credentials = {}  # path -> keys
        self.asked = []  # (path, status)

    # --- what the task is given -----------------------------------------------------------------------------------------------

    def add(self, name, image, image_id):
        """A container that is about to start: the variables that ECS gives it."""
        sample = self.sample["Containers"][1]
        container = copy.deepcopy(sample)
        labels = "com.amazonaws.ecs."
        container.update({
            "DockerId": f"{self.task_id}-{secrets.randbelow(10**10):010d}", "Name": name, "DockerName": name, "Image": image,
            "ImageID": "sha256:" + image_id, "CreatedAt": now(), "StartedAt": now(),
            "Labels": {labels + "cluster": self.cluster, labels + "container-name": name, labels + "task-arn": self.arn,
                       labels + "task-definition-family": self.definition["family"],
                       labels + "task-definition-version": str(self.definition["revision"])},
            "ContainerARN": f"{self.prefix}container/{self.arn.split('/', 1)[1]}/{uuid.uuid4()}",
        })
        network = container["Networks"][0]
        network.update(IPv4Addresses=[self.address], IPv4SubnetCIDRBlock="10.0.0.0/20", SubnetGatewayIpv4Address="10.0.0.1/20",
                       PrivateDNSName=f"ip-{self.address.replace('.', '-')}.{self.region}.compute.internal",
                       DomainNameSearchList=[f"{self.region}.compute.internal"])
        del network["IPv6Addresses"]
        self.containers[container["DockerId"]] = container
        return {"ECS_CONTAINER_METADATA_URI_V4": f"http://{ADDRESS}/v4/{container['DockerId']}",
                "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def give_role(self, keys):
        """The variable for it.  Each container of a task has the same role."""
        path = f"/v2/credentials/{uuid.uuid4()}"
        self.credentials[path] = {"RoleArn": keys["RoleArn"], "AccessKeyId": keys["AccessKeyId"],
                                  "SecretAccessKey": keys["SecretAccessKey"], "Token": keys["Token"],
                                  "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600))}
        return {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path}

    def ended(self, name, code):
        for container in self.containers.values():
            if container["Name"] == name:
                container.update(KnownStatus="STOPPED", ExitCode=code, FinishedAt=now())

    # --- what it answers ------------------------------------------------------------------------------------------------------

    def task(self):
        task = dict(self.sample)
        task.update(Cluster=self.cluster, TaskARN=self.arn, Family=self.definition["family"], ServiceName=self.service,
                    Revision=str(self.definition["revision"]), AvailabilityZone=self.region + "a",
                    Limits={"CPU": int(self.definition["cpu"]) / 1024, "Memory": int(self.definition["memory"])},
                    Containers=list(self.containers.values()))
        return task

    def answer(self, path):
        if path in self.credentials:
            return 200, self.credentials[path]
        if path.startswith("/v2/credentials"):
            return 400, {"code": "InvalidIdInRequest", "message": "no such credentials", "HTTPErrorCode": 400}
        _, version, name, *rest = path.split("/") + [""]
        container = self.containers.get(name) if version == "v4" else None
        if container and rest in ([], [""]):
            return 200, container
        if container and rest in (["task"], ["task", ""]):
            return 200, self.task()
        return 404, "V4 metadata handler: unable to get container ID"

    def serve(self):
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, value = agent.answer(self.path)
                agent.asked.append((self.path, status))
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((ADDRESS, 80), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
