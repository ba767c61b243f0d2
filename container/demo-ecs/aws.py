"""AWS as moto plays it, over TLS at an address that only the task's network knows: IAM, STS, SSM and ECS of one account.

Once it is set up, signatures and policies are checked, and what comes is written down.
"""
import json
import logging
import os
import pathlib
import ssl
import sys
import threading

ROOT = pathlib.Path(__file__).parents[2]
ACCOUNT = "111122223333"
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ.update(AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup", MOTO_ACCOUNT_ID=ACCOUNT, NO_PROXY="*")

import boto3  # noqa: E402
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402, F401
import requests  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

sys.path.insert(0, str(ROOT / "tests/backend"))
import certificates  # noqa: E402

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Aws:
    def __init__(self, directory, region, address):
        self.region, self.directory = region, directory
        self.asked = []  # (target of the API, id of the key that signed it, status)
        host = f"ssm.{region}.amazonaws.com"
        certificates.leaf(directory, "aws", "ca", f"DNS:{host},DNS:ecs.{region}.amazonaws.com,IP:{address}", 2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/aws.pem", f"{directory}/aws-key.pem")
        self.moto = DomainDispatcherApplication(create_backend_app)
        server = make_server(address, 443, self.application, threaded=True, ssl_context=context)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"https://{address}"

    def application(self, environ, start_response):
        def start(status, *rest):
            signed = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
            self.asked.append((environ.get("HTTP_X_AMZ_TARGET", ""), signed, int(status.split()[0])))
            return start_response(status, *rest)

        return self.moto(environ, start)

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, verify=f"{self.directory}/ca.pem", region_name=self.region)

    def put_secret(self, name, value):
        """Its ARN."""
        ssm = self.client("ssm")
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
        return ssm.get_parameter(Name=name)["Parameter"]["ARN"]

    def register(self, definition):
        """What describe-task-definition says of it afterwards."""
        ecs = self.client("ecs")
        arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
        return ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]

    def assume(self, arn, secret):
        """The role with that ARN, which may do what container/aws says, and that is to read the secret; ECS gets its keys."""
        iam, name = self.client("iam"), arn.rpartition("/")[2]
        trust, policy = (json.loads((ROOT / f"container/aws/iam/{file}.json").read_text().replace("us-east-1", self.region))
                         for file in ("trust", "ssm"))
        statement = policy["Statement"][0]
        if statement["Resource"] != secret:
            raise ValueError(f"container/aws/iam/ssm.json is about {statement['Resource']}, not {secret}")
        statement["Resource"] = "*"  # moto looks at what may be done, not at what to
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="moonwatch", PolicyDocument=json.dumps(policy))
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="ecs")["Credentials"]
        return {"RoleArn": arn, "AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"], "Token": keys["SessionToken"]}

    def check_from_now_on(self):
        answer = requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", verify=f"{self.directory}/ca.pem", timeout=10)
        answer.raise_for_status()
        self.asked.clear()

    def calls(self, target, key):
        return [status for said, signed, status in self.asked if said == target and signed == key]
