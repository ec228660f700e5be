// Package compose checks the files for Docker with the parsers of Docker Compose and BuildKit.
package compose
