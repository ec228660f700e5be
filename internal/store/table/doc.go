// Package table describes the tables in which SQL stores keep objects: the names,
// the columns, and the JSON document of each object. It executes no SQL.
package table
