// Package grammar validates and parses the structured texts of the API: names, cron
// schedules, NATS subjects, hostnames and handlers. The server and the Terraform provider
// share it, so that a plan accepts what the server accepts. It imports no other package
// of this module, and has no limit that an operator can change.
package grammar
