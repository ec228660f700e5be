// Package postgres implements store.Store with a PostgreSQL database. It does not
// contain the rules of the objects.
//
// Every write locks the only row of the table head first, so that changes have
// numbers without gaps in the order of their commits, whichever process makes them.
package postgres
