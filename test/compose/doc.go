// Package compose checks the files for Docker Compose with the parser of Docker Compose.
package compose
