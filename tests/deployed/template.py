"""What CloudFormation is given: infra/sam/template.yaml as SAM expands it."""

import json
import pathlib

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]


def block(readme, name):
    """The commands of a README that are marked so."""
    lines, marked = [], False
    for line in (ROOT / readme).read_text().splitlines():
        if line.startswith("```"):
            marked = line == f"```bash {name}"
        elif marked:
            lines.append(line)
    return "\n".join(lines)


def read():
    """The template as it is written."""
    return yaml_parse((ROOT / "infra/sam/template.yaml").read_text())


def binaries(template):
    """The binary of each function, by the function's name."""
    of_type = ((name, found) for name, found in template["Resources"].items() if found["Type"] == "AWS::Serverless::Function")
    return {name: function["Metadata"]["BuildProperties"]["Binary"] for name, function in of_type}


def expanded(template, bucket):
    """The template expanded, with the code of each function where `sam package` puts it: in a bucket. JSON."""
    for name, binary in binaries(template).items():
        template["Resources"][name]["Properties"]["CodeUri"] = f"s3://{bucket}/{binary}.zip"
    return for_ministack(transform(template, {}, type("NoPolicies", (), {"load": dict})()))


def for_ministack(made):
    """The same, as ministack 1.5.33 understands it."""
    # It overlooks the OpenAPI body of an API.
    apis = [(name, found["Properties"]) for name, found in made["Resources"].items() if found["Type"] == "AWS::ApiGatewayV2::Api"]
    for name, api in apis:
        made["Resources"] |= routes(name, api.pop("Body")["paths"])
        api |= {"Name": {"Ref": "AWS::StackName"}, "ProtocolType": "HTTP"}
    text = json.dumps(made)
    # It keeps a number that is a parameter's as text, and fails to compare it.
    for name, parameter in made["Parameters"].items():
        if parameter["Type"] == "Number":
            text = text.replace(json.dumps({"Ref": name}), str(parameter["Default"]))
    # It asks for ses:SendEmail on `*`, whatever the identity.
    identities = {"Fn::Sub": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"}
    text = text.replace(json.dumps(identities), '"*"')
    # It asks for sqs:SendMessageBatch, an action that AWS does not have: sqs:SendMessage covers it.
    return text.replace('"sqs:SendMessage"', '"sqs:SendMessage*"')


def routes(api, paths):
    """The routes and integrations that an API's OpenAPI body stands for."""
    made, uris = {}, {}
    for path, methods in paths.items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            method = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            key = path if path == "$default" else f"{method} {path}"
            # One for all routes of a function: a stack has 500 resources at most.
            shared = f"{api}Integration{uris.setdefault(json.dumps(integration['uri'], sort_keys=True), len(uris))}"
            made[shared] = {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": integration["uri"],
                    "PayloadFormatVersion": integration["payloadFormatVersion"],
                },
            }
            target = {"Fn::Join": ["/", ["integrations", {"Ref": shared}]]}
            properties = {"ApiId": {"Ref": api}, "RouteKey": key, "Target": target}
            made[f"{api}Route{len(made)}"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}
    return made
