"""The cloud on one machine: ministack, with the stack that the template stands for."""

import http.client
import io
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile

import boto3

import template

STACK = "voki"
BUCKET = "voki-code"


def until(condition, seconds=60):
    """Waits until a condition holds; it must within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


class Answer:
    """What the gateway answered."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    def data(self):
        return self.json()["data"]


class Cloud:
    """A running ministack; the end of the `with` ends it and every function in it."""

    def __init__(self, work):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = work / "ministack.log"
        self.resources = {}
        os.environ.update(AWS_ENDPOINT_URL=self.url, AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
        # AUTH checks signatures, and each call of a function against its role. The functions inherit this environment, and find
        # ministack by AWS_ENDPOINT_URL; all else they have from the template.
        settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "AUTH": "true", "TMPDIR": str(work)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=os.environ | settings, stdout=self.log.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
        )

    def __enter__(self):
        until(self.listens)
        return self

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, kind, *_):
        if kind is not None:
            self.explain()
        # Its functions are of its process group.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def explain(self):
        """Prints what may tell why a step failed."""
        print(self.log.read_text()[-10_000:], file=sys.stderr)
        for name, lines in self.logs().items():
            print(f"== {name}", *lines[-20:], sep="\n", file=sys.stderr)

    def deploy(self, programs, parameters):
        """Uploads the programs and creates the stack, of this machine's architecture."""
        written = template.read()
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for binary in template.binaries(written).values():
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.write(programs / binary, "bootstrap")
            s3.put_object(Bucket=BUCKET, Key=f"{binary}.zip", Body=packed.getvalue())
        s3.put_object(Bucket=BUCKET, Key="template.json", Body=template.expanded(written, BUCKET))
        parameters |= {"Architecture": "arm64" if platform.machine() == "aarch64" else "x86_64"}
        formation = boto3.client("cloudformation")
        formation.create_stack(
            StackName=STACK,
            TemplateURL=f"{self.url}/{BUCKET}/template.json",
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        formation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        resources = formation.describe_stack_resources(StackName=STACK)["StackResources"]
        self.resources = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
        self.host = f"{self.resources['Api']}.execute-api.localhost:{self.port}"

    def call(self, method, path, body=None, token=None, status=200):
        """A request over the gateway, which must be answered with this status; `None` is any."""
        headers = {"Host": self.host, "Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = Answer(connection.getresponse())
        assert status in (None, answer.status), (method, path, answer.status, answer.body)
        return answer

    def default(self, method, path, headers):
        """What the function of `$default` answers to a request, handed to it as the gateway would."""
        context = {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "accountId": "000000000000", "apiId": self.resources["Api"], "domainName": self.host, "domainPrefix": self.resources["Api"],
            "requestId": "preflight", "routeKey": "$default", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        }
        event = {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
            "requestContext": context, "isBase64Encoded": False,
        }
        answer = boto3.client("lambda").invoke(FunctionName=self.resources["Docs"], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def routes(self):
        """The API's routes but `$default`, such as `GET /api/health`."""
        pages = boto3.client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=self.resources["Api"])
        return [found["RouteKey"] for page in pages for found in page["Items"] if found["RouteKey"] != "$default"]

    def messages(self, queue):
        """How many messages a queue holds, those that are being worked on included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = boto3.client("sqs").get_queue_attributes(QueueUrl=self.resources[queue], AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def mails(self):
        """The mails that SES was given."""
        with urllib.request.urlopen(f"{self.url}/_ministack/ses/messages") as answer:
            return [mail for mails in json.load(answer)["messages"].values() for mail in mails]

    def logs(self):
        """The lines that each function wrote, by the name of its log in the template."""
        pages = boto3.client("logs").get_paginator("filter_log_events")
        groups = {name: found for name, found in self.resources.items() if found.startswith("/aws/lambda/")}
        events = lambda group: (event for page in pages.paginate(logGroupName=group) for event in page["events"])
        return {name.removesuffix("Log"): [event["message"] for event in events(group)] for name, group in groups.items()}
