// Package table has what SQL stores share: the tables of objects with their columns, the
// JSON document of each object, and a transaction over the statements of a database. It
// contains no SQL but the order of lists.
package table
