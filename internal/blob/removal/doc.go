// Package removal implements blob.Removals with a PostgreSQL database. It states which
// archives and artifacts a function refers to; the database and the bucket do not interpret
// keys.
package removal
