// Package broker speaks to those who keep messages: NATS servers and services
// that speak SQS. It knows which one a trigger means, from a file of the
// operator's; what is done with the messages is package schedule's.
package broker
