// Package broker consumes messages from NATS servers and from services with the SQS
// API. A configuration file of the operator maps triggers to brokers. Package schedule
// delivers the messages to functions.
package broker
