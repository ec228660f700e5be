// Package grammar owns the texts of the API that have a form: names, cron schedules,
// NATS subjects, hostnames and handlers. The server and the Terraform provider both
// read them with it, so that a plan accepts what the server accepts. It knows no other
// package, and no limit that an operator can raise.
package grammar
