// A function as Node has it: a client of DynamoDB, and the first event.
import { createRequire } from "node:module";

const { DynamoDBClient } = createRequire(process.argv[2])("@aws-sdk/client-dynamodb");
globalThis.table = new DynamoDBClient({});
await fetch(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`);
