<?php

/** Answers every call with a greeting. */
function handle($event, $context)
{
    return [
        "statusCode" => 200,
        "headers" => ["Content-Type" => "text/plain"],
        "body" => getenv("GREETING") . " from PHP, at {$event["path"]}\n",
    ];
}
