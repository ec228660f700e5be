package provider

// GeneratedName is generatedName, for a test of all its outcomes.
var GeneratedName = generatedName

// ParseClaims is parseClaims, for tests of texts that Terraform would not pass.
var ParseClaims = parseClaims

// Sentence is sentence.
var Sentence = sentence
