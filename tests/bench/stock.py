"""A function as boto3 has it: a client of DynamoDB, and the first event."""
import os
import urllib.request

import boto3

table = boto3.client("dynamodb")
urllib.request.urlopen(f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/next").read()
