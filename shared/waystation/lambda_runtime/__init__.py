"""Runs an ASGI app in Lambda's managed Python runtime, streaming what it answers.

The managed runtime's own client waits for a whole answer. This one takes its place where the
layer's `stream` script is named in AWS_LAMBDA_EXEC_WRAPPER. It knows nothing of the product, and
goes the day the managed client streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming,
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html,
2026-11
"""
