"""The product as it is deployed: the template's stack, each function a process of its own, called over the gateway's routes.

`main.py <folder of the programs>`; tests/full.sh says what it takes.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile

import boto3
import yaml

import template
from cloud import Cloud, until
from receiver import Receiver

MANAGER, AGENT, PASSWORD = "manager@demo.test", "attendant@demo.test", "voki-demo-2026"
NOBODY = "00000000-0000-4000-8000-000000000000"


def shell(script, folder):
    """Runs commands of a README in a folder; answers what they print."""
    return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


def parameters(work):
    """Secrets by the recipe of infra/sam/README.md; anybody may sign up, and receivers may be on this machine."""
    shell(template.block("infra/sam/README.md", "secrets"), work)
    return yaml.safe_load((work / "parameters.yaml").read_text()) | {"Signup": "open", "WebhookAllowPrivate": "1"}


def demo(cloud):
    """Makes the company and the users of the README's journey; answers the manager's token."""
    company = {
        "company": {"name": "Demo Company", "slug": "demo"},
        "user": {"name": "Maria Manager", "email": MANAGER, "password": PASSWORD},
    }
    token = cloud.call("POST", "/api/signup/register", company, status=201).json()["access_token"]
    agent = {"user": {"name": "Ana Attendant", "email": AGENT, "role": "attendant", "password": PASSWORD}}
    cloud.call("POST", "/api/v1/users", agent, token=token, status=201)
    return token


def journey(cloud, receiver, work):
    """The README's journey, over the gateway; answers the webhook's secret."""
    (work / "target").mkdir()
    script = template.block("README.md", "journey").replace("http://127.0.0.1:3000", f"http://{cloud.host}")
    printed = shell(script.replace("127.0.0.1:4000", receiver.address), work)
    assert ",completed,Billing,Ana Attendant,Carlos Ferreira,carlos@example.com," in printed, printed
    return (work / "target/webhook-secret").read_text().strip()


def invited(cloud, token):
    """Somebody is invited by mail, chooses a password by its link, and logs in."""
    boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
    user = {"user": {"name": "Nina", "email": "nina@demo.test"}}
    cloud.call("POST", "/api/v1/users", user, token=token, status=201)
    until(cloud.mails)
    [mail] = cloud.mails()
    assert mail["To"] == ["nina@demo.test"] and "no-reply@example.com" in mail["Source"], mail
    link = mail["BodyText"].split("?token=")[1].strip()
    cloud.call("POST", "/api/auth/reset-password", {"token": link, "password": PASSWORD})
    cloud.call("POST", "/api/auth/login", {"email": "nina@demo.test", "password": PASSWORD, "tenant": "demo"})


def waiting(cloud, token):
    """Somebody joins a queue that nobody serves: the call is missed after ten seconds."""
    department = {"department": {"name": "Nobody", "max_wait_time": 10}}
    department = cloud.call("POST", "/api/v1/departments", department, token=token, status=201).data()["id"]
    link = cloud.call("POST", "/api/v1/access-links", {"access_link": {"department_id": department}}, token=token, status=201)
    cloud.call("POST", f"/api/v1/call/{link.data()['token']}/join", {"name": "Rita"})


def refusals(cloud, token):
    """What no route takes is answered by the function of `$default`, as the others would."""
    for method, path, status in [("GET", "/", 404), ("GET", "/API/V1/users", 404), ("DELETE", "/api/v1/users", 405)]:
        answer = cloud.call(method, path, token=token, status=status)
        assert list(answer.json()["errors"]) == ["detail"], answer.body
        assert answer.headers["Content-Type"] == "application/json" and answer.headers["X-Request-Id"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}
    assert list(cloud.call("GET", "/api/v1/users/me", status=401).json()["errors"]) == ["detail"]
    shown, head = (cloud.call(method, "/api/v1/users/me", token=token) for method in ("GET", "HEAD"))
    assert head.body == b"" and head.headers["ETag"] == shown.headers["ETag"]


def preflight(cloud):
    """ministack answers a preflight itself, though the API has no CORS: the function is handed the gateway's event."""
    answer = cloud.default("OPTIONS", "/api/v1/users/me", {"origin": "https://a.example", "access-control-request-method": "PUT"})
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert answer["statusCode"] == 200 and headers["access-control-allow-origin"] == "*", answer
    assert "PUT" in headers["access-control-allow-methods"] and "authorization" in headers["access-control-allow-headers"], answer


def routes(cloud):
    """Every route leads to a function that knows it: the function says so in its log."""
    for key in cloud.routes():
        method, path = key.split()
        path = "/".join(NOBODY if part.startswith("{") else part for part in path.split("/"))
        cloud.call(method, path, {} if method in ("POST", "PUT") else None, status=None)
    requests = [json.loads(line) for lines in cloud.logs().values() for line in lines if '"message":"request"' in line]
    unknown = set(cloud.routes()) - {f"{request['method']} {request['route']}" for request in requests}
    assert not unknown, unknown


def quiet(cloud):
    """Every function has run, and none but the worker that could not read a message has complained. The mailer runs in silence."""
    logs = cloud.logs() | {"Mailer": cloud.mails()}
    assert set(logs) == set(template.binaries(template.read())) and all(logs.values()), {name: len(lines) for name, lines in logs.items()}
    complaints = [line for lines in cloud.logs().values() for line in lines if '"level":"ERROR"' in line or '"level":"WARN"' in line]
    assert len(complaints) == 1 and "message failed" in complaints[0], complaints


def main(programs):
    step = lambda name: print(f"  {name}", flush=True)
    with tempfile.TemporaryDirectory() as work, Receiver() as receiver, Cloud(pathlib.Path(work)) as cloud:
        work = pathlib.Path(work)
        step("CloudFormation creates the stack")
        cloud.deploy(programs, parameters(work))
        boto3.client("sqs").send_message(QueueUrl=cloud.resources["DeliveryQueue"], MessageBody="cannot be read")
        step("a company signs up, and lives through the README's journey")
        token = demo(cloud)
        secret = journey(cloud, receiver, work)
        step("stream and queue bring the deliveries, rightly signed")
        receiver.wait(secret, ["call.created", "call.assigned", "call.started", "call.completed", "call.rated"])
        step("the stream brings a mail")
        invited(cloud, token)
        waiting(cloud, token)
        step("404, 405, 401, HEAD, a preflight")
        refusals(cloud, token)
        preflight(cloud)
        step("every route leads to a function that knows it")
        routes(cloud)
        step("the schedule misses the call that nobody took")
        receiver.wait(secret, ["call.missed"])
        step("of all messages the one that cannot be read is left")
        until(lambda: cloud.messages("DeliveryQueue") == 1)
        assert cloud.messages("DeadLetters") == cloud.messages("FailedRecords") == 0
        quiet(cloud)
        step("without its policy a function may do nothing")
        boto3.client("iam").delete_role_policy(RoleName=cloud.resources["ExportRole"], PolicyName="export")
        cloud.call("GET", "/api/v1/export/calls.csv", token=token, status=500)
        assert any("AccessDenied" in line for line in cloud.logs()["Export"])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(pathlib.Path(sys.argv[1]))
