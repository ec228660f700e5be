// Package php builds PHP functions: it checks the syntax of the handler's file, installs
// the requirements of composer.json with composer unless the archive contains them, and
// adds a bootstrap. The bootstrap serves the function with PHP's standard extensions
// only. It maps requests to events and results to responses as Scaleway's documentation
// and published libraries do.
package php
