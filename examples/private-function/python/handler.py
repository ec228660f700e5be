"""Answers every call with a greeting."""

import os


def handle(event, context):
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain"},
        "body": f"{os.environ['GREETING']} from Python, at {event['path']}\n",
    }
