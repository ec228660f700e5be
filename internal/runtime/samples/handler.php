<?php

function handle($event, $context)
{
    return [
        "statusCode" => 200,
        "headers" => ["Content-Type" => "application/json"],
        "body" => ["message" => "Hello, World!"],
    ];
}
